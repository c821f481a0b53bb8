import type { Wish } from '#/api/types'

interface WishWords {
  /** The button that opens the question, and the one that says yes. */
  button: string
  yes: string
  question: string
  /** What it does, and what it does not. */
  does: string
  /** What is said once it is asked for, after "4 processes". */
  will: string
}

export const WISH_WORDS: Record<Wish, WishWords> = {
  cleanup: {
    button: 'Clean up',
    yes: 'Forget them',
    question: 'Forget the abandoned leases?',
    does: 'Each process forgets the leases whose task or thread has ended, and their alert ends. No connection is closed: one that was never returned is missing from the pool until the program returns it or restarts.',
    will: 'will forget the abandoned leases',
  },
  reset: {
    button: 'Reset',
    yes: 'Count from zero',
    question: 'Reset what is counted?',
    does: 'Each process counts from zero: leases, times, lines, leaks and peak. What is out now is not seen until it is taken again. No connection is closed, and the history here stays.',
    will: 'will count from zero',
  },
  stop: {
    button: 'Stop tracking',
    yes: 'Stop tracking',
    question: 'Stop tracking this pool?',
    does: 'Each process notes no more leases, so nobody is told who holds connections until it is started again. The pool itself works on as it does, and no connection is closed.',
    will: 'will stop tracking',
  },
  start: {
    button: 'Start tracking',
    yes: 'Start tracking',
    question: 'Start tracking this pool?',
    does: 'Each process notes from then on who takes connections and who returns them. What is out by then is not known.',
    will: 'will start tracking',
  },
}
