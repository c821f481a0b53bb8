interface DashProps {
  /** What it stands for, to who cannot see it. */
  words: string
  title?: string
  className?: string | undefined
}

/** Where there is no value: a dash, which is said in words. */
export const Dash = ({ words, title, className }: DashProps) => (
  <span className={className} title={title}>
    <span aria-hidden="true">–</span>
    <span className="visually-hidden">{words}</span>
  </span>
)
