// The loops of one-way messages: events in both directions, and channels. Few bursts are in flight, because a sender that does not
// wait would measure how fast a queue grows. Every message is counted.
import type { Measurement } from '../model/scenario.js'
import * as handlers from './handlers.js'
import type { MeasureLoop } from './subject.js'

const BURST = 256
const BURSTS_IN_FLIGHT = 4
/** Messages of one channel. */
const STREAM = 4096

/** Requests bursts of events from core, and counts them. */
export const measureEventsIn: MeasureLoop = async (subject, _calls, { ms }) => {
  let received = 0
  const unlisten = await subject.listen(handlers.BACKEND_EVENT, () => received++)
  try {
    // Messages arrive in order: the answer to a burst follows its last event.
    return toRate(await sendBursts(ms, count => subject.call('burst', { count })), received)
  } finally {
    unlisten()
  }
}

/** Sends bursts of events to core, and asks core after each how many it received. */
export const measureEventsOut: MeasureLoop = async (subject, _calls, { ms }) => {
  let received = 0
  await subject.call('seen', {})
  const sent = await sendBursts(ms, async count => {
    const emitted = Array.from({ length: count }, () => subject.emit(handlers.FRONTEND_EVENT, handlers.EVENT_PAYLOAD))
    const seen = await subject.call('seen', {})
    received += Number(seen)
    await Promise.all(emitted)
  })
  return toRate(sent, received)
}

/** Reads channels to their end, one after the other. */
export const measureStream: MeasureLoop = async (subject, _calls, { ms }) => {
  let received = 0
  let messages = 0
  const start = performance.now()
  const end = start + ms
  do {
    let next = 0
    // A message that is lost or out of order is not counted.
    await subject.stream('download', STREAM, message => {
      if (handlers.getChunk(message) === next++) received++
    })
    messages += STREAM
  } while (performance.now() < end)
  return toRate({ messages, elapsed: performance.now() - start }, received)
}

type Sent = { messages: number; elapsed: number }

/** @param sendBurst sends `count` messages, and resolves when they have arrived */
async function sendBursts(ms: number, sendBurst: (count: number) => Promise<unknown>): Promise<Sent> {
  const start = performance.now()
  const end = start + ms
  let messages = 0
  const sendUntilEnd = async (): Promise<void> => {
    do {
      messages += BURST
      await sendBurst(BURST)
    } while (performance.now() < end)
  }
  await Promise.all(Array.from({ length: BURSTS_IN_FLIGHT }, sendUntilEnd))
  return { messages, elapsed: performance.now() - start }
}

function toRate({ messages, elapsed }: Sent, received: number): Measurement {
  if (received !== messages) throw new Error(`${received} of ${messages} messages arrived in order`)
  return { rate: (messages / elapsed) * 1e3 }
}
