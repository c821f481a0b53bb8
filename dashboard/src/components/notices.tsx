/** Tells of what changes: it renders nothing. */
export function Notices() {
  return null
}
