// A channel whose receiver takes its time. How much comes to wait between the two, and does the sender wait too?
import { setTimeout as delay } from 'node:timers/promises'
import type { Measurement } from '../task.js'
import { chunkOf } from './handlers.js'
import type { Subject } from './subject.js'

/** Messages of a KiB: 16 MiB in all. */
const MESSAGES = 16_384
/** After so many the receiver has a pause of a millisecond, and after so many it asks how far the sender is. */
const TAKEN_AT_ONCE = 16
const LOOK_EACH = 256

/** What the sender says in the end: which part of its time it waited for room, in %. */
export interface Poured {
  waited: number
}

/** The receiver is slow for `ms` milliseconds, and then takes what is left. Every message has to come, in its order. */
export async function measureSlowConsumer(subject: Subject, ms: number): Promise<Measurement> {
  if (!subject.pour) throw new Error('this arm has no channel')
  let taken = 0
  let depth = 0
  const end = performance.now() + ms
  const { waited } = await subject.pour(MESSAGES, async message => {
    if (chunkOf(message) !== taken) throw new Error(`message ${chunkOf(message)} came where ${taken} was due`)
    taken++
    if (taken % TAKEN_AT_ONCE === 0 && performance.now() < end) await delay(1)
    // Nothing is taken meanwhile: what was sent until then and is not taken yet waits somewhere.
    if (taken % LOOK_EACH === 0) depth = Math.max(depth, Number(await subject.call('poured', {})) - taken)
  })
  if (taken !== MESSAGES) throw new Error(`${taken} of ${MESSAGES} messages arrived`)
  return { depth, waited }
}
