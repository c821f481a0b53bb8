/** Tests all connections, in a dialog. */
export function TestAllButton() {
  return null
}
