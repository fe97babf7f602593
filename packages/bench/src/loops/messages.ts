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

/** Each event goes to one of `size` listeners. Its cost should not depend on listeners of other events. */
export const measureListeners: MeasureLoop = async (subject, _calls, { ms, size = 1 }) => {
  let received = 0
  const listening = Array.from({ length: size }, (_, index) =>
    subject.listen(handlers.listenerEvent(index), () => received++),
  )
  const unlisten = await Promise.all(listening)
  try {
    const sent = await sendBursts(ms, count => subject.call('burst_each', { count, listeners: size }))
    return { each: 1e6 / toRate(sent, received)['rate']! }
  } finally {
    for (const stop of unlisten) stop()
  }
}

/** Each event goes to `size` frontends, of which one measures. */
export const measureFanOut: MeasureLoop = async (subject, _calls, { ms, size: frontends = 1 }) => {
  const receive = handlers.countFan(report => subject.emit(handlers.FAN_SEEN, report))
  const unlisten = await subject.listen(handlers.fanEvent(frontends), receive)
  let received = 0
  try {
    const { messages, elapsed } = await sendBursts(ms, async count => {
      const seen = Number(await subject.call('fan_out', { count, frontends }))
      received += seen
    })
    return { each: 1e6 / toRate({ messages: messages * frontends, elapsed }, received)['rate']! }
  } finally {
    unlisten()
  }
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
