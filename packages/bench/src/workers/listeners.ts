// Events to many listeners, each of an event of its own: what an event costs should not depend on how many listen to others.
import type { Measurement } from '../task.js'
import { eachEvent } from './handlers.js'
import { bursts, counted } from './messages.js'
import type { Subject } from './subject.js'

/** Events from core to `size` listeners in turn, each of them counted. */
export async function measureListeners(subject: Subject, ms: number, size: number): Promise<Measurement> {
  let received = 0
  const listening = Array.from({ length: size }, (_, at) => subject.listen(eachEvent(at), () => received++))
  const unlisten = await Promise.all(listening)
  try {
    const sent = await bursts(ms, async count => void (await subject.call('burst_each', { count, listeners: size })))
    return { each: 1e6 / counted(sent, received)['rate']! }
  } finally {
    for (const stop of unlisten) stop()
  }
}
