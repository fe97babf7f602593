// The loops that every arm with two sides can run.
import { measureCalls } from './calls.js'
import { measureEventsIn, measureEventsOut, measureStream } from './messages.js'
import type { Measure } from './serve.js'
import type { Subject } from './subject.js'

export const loopsOf =
  (subject: Subject): Measure =>
  ({ loop, ms, inFlight = 1 }, calls) => {
    switch (loop) {
      case 'calls':
        return measureCalls(subject, calls, ms, inFlight)
      case 'events-in':
        return measureEventsIn(subject, ms)
      case 'events-out':
        return measureEventsOut(subject, ms)
      case 'stream':
        return measureStream(subject, ms)
      default:
        throw new Error(`this arm has no loop '${loop}'`)
    }
  }
