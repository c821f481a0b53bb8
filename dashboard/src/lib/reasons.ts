import type { AboutReason } from '#/api/types'

/** What happened, as a heading. A reason that is not told about, or not yet, is named as it came. */
export const reasonTitle = (reason: string, about: AboutReason | undefined): string =>
  about?.meaning.replace(/\.$/, '') ?? reasonWord(reason)

/** The reason as words, the same that the API and the command line use. */
export const reasonWord = (reason: string): string => reason.replaceAll('_', ' ')

/** Whether trying again can help, and who has to do something. */
export function remedyWords({ status, permanent }: AboutReason): string {
  if (status === 'unknown') return 'Mooring could not test it: this says nothing about the target.'
  return permanent
    ? 'Trying again does not help: change something first, then test it anew.'
    : 'It may pass by itself: Mooring keeps trying.'
}
