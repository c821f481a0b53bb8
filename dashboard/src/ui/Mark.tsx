/** The program's mark: an anchor. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 32 32"
      fill="none"
      stroke="var(--mantine-primary-color-filled)"
      strokeWidth="3"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <circle cx="16" cy="7" r="3.5" />
      <path d="M16 10.5V28M9 15h14M4.500 19.500C5 25 10 28 16 28s11-3 11.500-8.500" />
    </svg>
  )
}
