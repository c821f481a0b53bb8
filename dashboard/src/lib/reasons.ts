import type { Reason } from '#/api/types'

/** Whether trying again can help, and who has to do something. */
export type Remedy = 'wait' | 'change' | 'mooring'

interface Words {
  /** What happened, as a heading. */
  title: string
  remedy: Remedy
}

const WORDS: Record<Reason, Words> = {
  timeout: { title: 'Nothing came back in time', remedy: 'wait' },
  dns: { title: 'The name could not be looked up', remedy: 'wait' },
  refused: { title: 'Nothing listens on the port', remedy: 'wait' },
  network: { title: 'The way there is broken', remedy: 'wait' },
  unavailable: { title: 'The service is not ready', remedy: 'wait' },
  overloaded: { title: 'The service has no room for another client', remedy: 'wait' },
  tls: { title: 'TLS failed or the certificate is not trusted', remedy: 'change' },
  auth: { title: 'The login was rejected', remedy: 'change' },
  permission: { title: 'Logged in, but something needed is not granted', remedy: 'change' },
  not_found: { title: 'What the address names does not exist', remedy: 'change' },
  protocol: { title: 'What answers does not speak this protocol', remedy: 'wait' },
  assertion: { title: 'It answers, but not what was expected', remedy: 'wait' },
  config: { title: 'The settings cannot be used', remedy: 'mooring' },
  driver: { title: 'The driver is not installed', remedy: 'mooring' },
  internal: { title: 'Mooring has a fault', remedy: 'mooring' },
}

export const REASONS = Object.keys(WORDS) as Reason[]

export const REMEDY: Record<Remedy, string> = {
  wait: 'It may pass by itself: Mooring keeps trying.',
  change: 'Trying again does not help: something has to be changed first.',
  mooring: 'Mooring could not test it: this says nothing about the target.',
}

/** A server newer than this page may know a reason that the page does not: it is named then, as it came. */
export const reasonTitle = (reason: string): string =>
  isKnown(reason) ? WORDS[reason].title : reasonWord(reason)

/** The reason as one word, the same that the API and the command line use. */
export const reasonWord = (reason: string): string => reason.replaceAll('_', ' ')

export const remedyOf = (reason: string): Remedy | null =>
  isKnown(reason) ? WORDS[reason].remedy : null

const isKnown = (reason: string): reason is Reason => Object.hasOwn(WORDS, reason)
