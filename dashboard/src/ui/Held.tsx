import { useAtNow } from '#/api/context'
import { exact, span } from '#/lib/time'

/** "for 12 s", which stays true, with the exact instant on hover. */
export function Held({ since, className }: { since: string; className?: string | undefined }) {
  const held = useAtNow((now) => span((now - Date.parse(since)) / 1000))
  return (
    <time className={className} dateTime={since} title={`Since ${exact(since)}`}>
      for {held}
    </time>
  )
}
