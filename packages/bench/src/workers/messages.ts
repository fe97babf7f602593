// The loops of one-way messages: events both ways, and channels. A sender that never waits would measure how fast a queue
// grows, so a few bursts at most are on their way at any time, and every message is counted.
import type { Measurement } from '../task.js'
import { BACKEND_EVENT, chunkOf, EVENT_PAYLOAD, FRONTEND_EVENT } from './handlers.js'
import type { Subject } from './subject.js'

/** Messages of a burst, and bursts on their way at any time. */
const BURST = 256
const AHEAD = 4
/** Messages of one channel. */
const STREAM = 4096

/** Sends a burst of `BURST`, and resolves when it has arrived. */
type Burst = (count: number) => Promise<void>

/** Events from core: the measuring thread asks for bursts, and counts what comes. */
export async function measureEventsIn(subject: Subject, ms: number): Promise<Measurement> {
  let received = 0
  const unlisten = await subject.listen(BACKEND_EVENT, () => received++)
  try {
    // What comes in is in order: the answer to a burst is behind its last event.
    const result = await bursts(ms, async count => void (await subject.call('burst', { count })))
    return counted(result, received)
  } finally {
    unlisten()
  }
}

/** Events to core: after each burst core is asked how many it has seen since the last time. */
export async function measureEventsOut(subject: Subject, ms: number): Promise<Measurement> {
  let seen = 0
  await subject.call('seen', {})
  const result = await bursts(ms, async count => {
    const sent = Array.from({ length: count }, () => subject.emit(FRONTEND_EVENT, EVENT_PAYLOAD))
    const more = await subject.call('seen', {})
    seen += Number(more)
    await Promise.all(sent)
  })
  return counted(result, seen)
}

/** Channels, one after the other, each read to its end. */
export async function measureStream(subject: Subject, ms: number): Promise<Measurement> {
  let received = 0
  let streams = 0
  const start = performance.now()
  const end = start + ms
  do {
    let next = 0
    // Only what comes in its order counts: one message that is lost or overtaken leaves a difference at the end.
    await subject.stream('download', STREAM, message => {
      if (chunkOf(message) === next++) received++
    })
    streams++
  } while (performance.now() < end)
  return counted({ messages: streams * STREAM, elapsed: performance.now() - start }, received)
}

export interface Sent {
  messages: number
  elapsed: number
}

export async function bursts(ms: number, burst: Burst): Promise<Sent> {
  const start = performance.now()
  const end = start + ms
  let count = 0
  const lane = async (): Promise<void> => {
    do {
      count++
      await burst(BURST)
    } while (performance.now() < end)
  }
  await Promise.all(Array.from({ length: AHEAD }, lane))
  return { messages: count * BURST, elapsed: performance.now() - start }
}

export function counted({ messages, elapsed }: Sent, received: number): Measurement {
  if (received !== messages) throw new Error(`${received} of ${messages} messages arrived in order`)
  return { rate: (messages / elapsed) * 1e3 }
}
