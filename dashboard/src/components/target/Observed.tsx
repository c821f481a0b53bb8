import type { Result } from '#/api/types'
import { detailText, keyWords, numbersTold } from '#/lib/details'
import { type Fact, Facts } from '#/ui/Facts'
import { Folded } from '#/ui/Folded'

/** What a check told beside its verdict, as names and values. */
export function factsOf(result: Result): Fact[] {
  const details = Object.entries(result.details).map(([key, value]) => ({
    key: `detail ${key}`,
    title: keyWords(key),
    value: <Folded text={detailText(value)} lines={2} />,
  }))
  const numbers = numbersTold(result.numbers).map(({ key, title, text }) => ({
    key: `number ${key}`,
    title,
    value: text,
  }))
  return [...details, ...numbers]
}

export const Observed = ({ result }: { result: Result }) => <Facts facts={factsOf(result)} />
