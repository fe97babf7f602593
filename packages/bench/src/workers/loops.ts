// The loops that every arm with two sides can run.
import type { Measurement, Task } from '../task.js'
import { measureCalls, measureSparseCalls } from './calls.js'
import { measureCancel } from './cancel.js'
import { failing, type ReadyCall } from './check.js'
import { measureFanOut } from './fan-out.js'
import { measureGiving } from './giving.js'
import { measureListeners } from './listeners.js'
import { measureEventsIn, measureEventsOut, measureStream } from './messages.js'
import { measureOpenCalls } from './open-loop.js'
import { measureOverload } from './overload.js'
import { keptSamples } from './percentiles.js'
import type { Measure } from './serve.js'
import { measureRecovery } from './recovery.js'
import { measureSlowConsumer } from './slow-consumer.js'
import type { Subject } from './subject.js'

/** Measures twice where the task has a time to settle, and gives the second. */
export const loopsOf =
  (subject: Subject): Measure =>
  (task, calls) => {
    const { ms, settleMs = 0 } = task
    if (task.loop === 'samples') return keptSamples()
    const asked = calls[0]?.fails ? failing(subject) : subject
    const run = (length: number): Promise<Measurement> => runLoop(asked, { ...task, ms: length }, calls)
    return settleMs > 0 ? run(settleMs).then(() => run(ms)) : run(ms)
  }

function runLoop(
  subject: Subject,
  { loop, ms, inFlight = 1, size = 1 }: Task,
  calls: readonly ReadyCall[],
): Promise<Measurement> {
  switch (loop) {
    case 'calls':
      return measureCalls(subject, calls, ms, inFlight)
    case 'sparse':
      return measureSparseCalls(subject, calls, ms)
    case 'open':
      return measureOpenCalls(subject, calls, ms)
    case 'overload':
      return measureOverload(subject, calls, ms)
    case 'cancel':
      return measureCancel(subject, ms)
    case 'slow-consumer':
      return measureSlowConsumer(subject, ms)
    case 'recover-core':
      return measureRecovery(subject, calls)
    case 'giving':
      return measureGiving(subject, calls, ms)
    case 'events-in':
      return measureEventsIn(subject, ms)
    case 'events-out':
      return measureEventsOut(subject, ms)
    case 'stream':
      return measureStream(subject, ms)
    case 'fan-out':
      return measureFanOut(subject, ms, size)
    case 'listeners':
      return measureListeners(subject, ms, size)
    default:
      throw new Error(`this arm has no loop '${loop}'`)
  }
}
