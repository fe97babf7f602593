// Bytes that are given away, there and back: the answer to one call is what the next one gives.
import type { Measurement } from '../task.js'
import { checkAnswer, type ReadyCall } from './check.js'
import { percentiles } from './percentiles.js'
import type { Subject } from './subject.js'

/** One at a time. What was given must be gone here, and what has been there so often must still be the same. */
export async function measureGiving(subject: Subject, [call]: readonly ReadyCall[], ms: number): Promise<Measurement> {
  if (!call?.bytes || !subject.give) throw new Error('this arm gives no bytes away')
  const taken: number[] = []
  let bytes = Uint8Array.from(call.args as Uint8Array)
  const start = performance.now()
  let now = start
  do {
    const given = bytes
    bytes = await subject.give('give_back', given)
    const before = now
    now = performance.now()
    taken.push(now - before)
    if (given.byteLength !== 0) throw new Error('the bytes were copied, and not given away')
  } while (now < start + ms)
  checkAnswer(call, bytes)
  return { ...percentiles(Float64Array.from(taken)), rate: (taken.length / (now - start)) * 1e3 }
}
