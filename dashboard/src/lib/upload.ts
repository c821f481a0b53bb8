/** What the API reads at once. */
export const MOST_BYTES = 1_000_000

export const megabytes = (bytes: number): string =>
  `${Math.max(0.1, Math.round(bytes / 100_000) / 10).toLocaleString('en')} MB`

/** Return why a file cannot be read, in words, or null. */
export const tooLarge = (file: Pick<File, 'name' | 'size'>): string | null =>
  file.size > MOST_BYTES
    ? `${file.name} is ${megabytes(file.size)}; at most 1 MB can be read. Paste the part with the addresses.`
    : null
