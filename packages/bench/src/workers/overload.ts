// Twice as much as an arm can do, for a while: how much is still answered, how much refused, and how late the answers are.
import type { Measurement } from '../task.js'
import { checkAnswer, type ReadyCall } from './check.js'
import { capacity, offer } from './open-loop.js'
import { percentiles } from './percentiles.js'
import type { Subject } from './subject.js'

const TIMES = 2

/** Each call counts: it is answered, and right, or refused as `Overloaded`. Anything else fails the measurement. */
export async function measureOverload(subject: Subject, calls: readonly ReadyCall[], ms: number): Promise<Measurement> {
  const perMs = TIMES * (await capacity(subject, calls, ms))
  let refused = 0
  const ask = async (index: number): Promise<boolean> => {
    const call = calls[index % calls.length]!
    try {
      checkAnswer(call, await subject.call(call.command, call.args))
      return true
    } catch (error) {
      if (!isRefusal(error)) throw error
      refused++
      return false
    }
  }
  const { taken, sent, elapsed } = await offer(ask, perMs, ms, Infinity)
  if (taken.length + refused !== sent)
    throw new Error(`${taken.length} answers and ${refused} refusals of ${sent} calls`)
  return { rate: (taken.length / elapsed) * 1e3, refused: (refused / sent) * 100, p99: percentiles(taken).p99 }
}

const isRefusal = (error: unknown): boolean => (error as { reason?: unknown } | undefined)?.reason === 'Overloaded'
