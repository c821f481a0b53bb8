import { Link } from 'react-router'

import { TestAllButton } from '#/components/testAll'
import { paths } from '#/lib/paths'

export function Header() {
  return (
    <header>
      <Link to={paths.overview()}>Mooring</Link>
      <TestAllButton />
    </header>
  )
}
