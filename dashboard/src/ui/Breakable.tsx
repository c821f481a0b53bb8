import { Fragment } from 'react'

import { pieces } from '#/lib/address'

/** An address that wraps between its parts rather than within a word. */
export function Breakable({ address }: { address: string }) {
  return pieces(address).map(({ at, text }) => (
    <Fragment key={at}>
      {at > 0 && <wbr />}
      {text}
    </Fragment>
  ))
}
