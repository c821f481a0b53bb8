import { Code } from '@mantine/core'

/** A text in which `this` is code, as the API's descriptions write it. */
export function Help({ text }: { text: string }) {
  const parts = text.split('`')
  if (parts.length % 2 === 0) return text
  return parts.map((part, index) =>
    // eslint-disable-next-line react/no-array-index-key -- parts of one text never change places
    index % 2 === 1 ? <Code key={`${index} ${part}`}>{part}</Code> : part,
  )
}

/** What stands below a field's title: nothing at all where there is nothing to say. */
export const helpOf = (...texts: string[]) => {
  const text = texts.filter(Boolean).join(' ')
  return text === '' ? undefined : <Help text={text} />
}
