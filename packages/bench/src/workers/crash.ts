// Ends a thread at a moment that it has told, as a mistake would: by an error that nobody catches.
import { sharedClock } from './bench-event.js'

/** Long enough for what was told to arrive; the last part of it is waited for to the microsecond. */
const SOON_US = 20_000
const NEAR_MS = 10

/** @returns when, by the clock that all threads share */
export function crashSoon(): number {
  const at = sharedClock() + SOON_US
  setTimeout(() => {
    while (sharedClock() < at);
    throw new Error('crashed, as it was asked to')
  }, NEAR_MS)
  return at
}
