import { Button } from '@mantine/core'

interface ToggleProps {
  open: boolean
  onToggle: () => void
  /** What it says while there is more to show, and while that is shown. */
  more: string
  less: string
  /** The id of what it opens. */
  controls?: string
}

/** Shows more of something, and less again. */
export const Toggle = ({ open, onToggle, more, less, controls }: ToggleProps) => (
  <Button
    mt="xs"
    px={0}
    size="compact-sm"
    variant="transparent"
    aria-expanded={open}
    aria-controls={controls}
    onClick={onToggle}
  >
    {open ? less : more}
  </Button>
)
