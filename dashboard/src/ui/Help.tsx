import { Code } from '@mantine/core'

import { Breakable } from './Breakable'

/** A text in which `this` is code, as the API's descriptions write it. */
export function Help({ text }: { text: string }) {
  const parts = parted(text, '`')
  if (parts.length % 2 === 0) return <Words text={text} />
  return parts.map(({ at, part, odd }) =>
    odd ? <Code key={at}>{part}</Code> : <Words key={at} text={part} />,
  )
}

/** An address in it wraps between its parts. */
function Words({ text }: { text: string }) {
  return parted(text, /(\S+:\/\/\S+)/).map(({ at, part, odd }) =>
    odd ? <Breakable key={at} address={part} /> : part,
  )
}

/** Return the parts of a text, each with where about it stands; every second one is what was looked for. */
function parted(text: string, by: string | RegExp): { at: number; part: string; odd: boolean }[] {
  let at = 0
  return text.split(by).map((part, index) => {
    const placed = { at, part, odd: index % 2 === 1 }
    at += part.length + 1
    return placed
  })
}

/** What stands below a field's title: nothing at all where there is nothing to say. */
export const helpOf = (...texts: string[]) => {
  const text = texts.filter(Boolean).join(' ')
  return text === '' ? undefined : <Help text={text} />
}
