import { useAtNow } from '#/api/context'
import { ago, exact } from '#/lib/time'

interface SinceProps {
  /** An instant as the API gives it. */
  at: string | null
  /** What to say where there is none. */
  none?: string
}

/** "12 s ago", which stays true, with the exact instant in the reader's zone on hover. */
export function Since({ at, none = 'never' }: SinceProps) {
  const text = useAtNow((now) => (at === null ? none : ago(at, now)))
  if (at === null) return <span>{text}</span>
  return (
    <time dateTime={at} title={exact(at)} className="tabular">
      {text}
    </time>
  )
}
