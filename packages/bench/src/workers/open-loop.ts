// Calls that come when they come, whether those before have been answered or not: each is timed from when it was meant to be
// sent. A loop that waits for each answer asks nothing while nothing is answered, and so hides every stall.
import { quantile } from '../statistics/median.js'
import type { Measurement } from '../task.js'
import { measureCalls } from './calls.js'
import { checkAnswer, checkOnce, type ReadyCall } from './check.js'
import { percentiles } from './percentiles.js'
import type { Subject } from './subject.js'

/** A bound on memory, and on what an arm has to hold: what is due beyond that waits here, and its time runs. */
const MAX_CALLS = 2 ** 19
export const MAX_UNANSWERED = 8192

/** How many are in flight while the capacity is measured, and the part of the time that this takes. */
const IN_FLIGHT = 64
const CAPACITY_SHARE = 0.25

export interface Offered {
  /** Milliseconds from the moment that each call was meant to be sent to its answer, of those that were answered. */
  taken: Float64Array
  sent: number
  /** Milliseconds from the first call to the last answer. */
  elapsed: number
}

/** Sends one call; resolves to whether it was answered, and rejects for what should not happen. */
type Send = (index: number) => Promise<boolean>

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Sends `perMs` calls each millisecond for `ms` milliseconds, and waits for all that is on its way. */
export async function offer(
  send: Send,
  perMs: number,
  ms: number,
  unanswered: number = MAX_UNANSWERED,
): Promise<Offered> {
  const total = Math.min(MAX_CALLS, Math.max(1, Math.floor(perMs * ms)))
  const taken = new Float64Array(total)
  let answered = 0
  let waiting = 0
  let failure: unknown
  let last = 0
  const start = performance.now()
  const sendOne = (index: number): void => {
    waiting++
    send(index)
      .then(ok => {
        last = performance.now()
        if (ok) taken[answered++] = last - (start + index / perMs)
      })
      .catch((error: unknown) => (failure ??= error))
      .finally(() => waiting--)
  }
  let sent = 0
  while (sent < total && failure === undefined) {
    const due = Math.min(total, 1 + Math.floor((performance.now() - start) * perMs))
    while (sent < due && waiting < unanswered) sendOne(sent++)
    await nextTurn()
  }
  while (waiting > 0 && failure === undefined) await nextTurn()
  if (failure !== undefined) throw failure
  return { taken: taken.subarray(0, answered), sent, elapsed: last - start }
}

/** What the arm can do at this moment, in calls each millisecond. */
export async function capacity(subject: Subject, calls: readonly ReadyCall[], ms: number): Promise<number> {
  const { rate } = await measureCalls(subject, calls, ms * CAPACITY_SHARE, IN_FLIGHT)
  return rate! / 1e3
}

/** At half of what the arm can do. */
export async function measureOpenCalls(
  subject: Subject,
  calls: readonly ReadyCall[],
  ms: number,
): Promise<Measurement> {
  await checkOnce(subject, calls)
  const perMs = (await capacity(subject, calls, ms)) / 2
  let answer: unknown
  let asked = calls[0]!
  const { taken, sent, elapsed } = await offer(
    async index => {
      const call = calls[index % calls.length]!
      answer = await subject.call(call.command, call.args)
      asked = call
      return true
    },
    perMs,
    ms * (1 - CAPACITY_SHARE),
  )
  checkAnswer(asked, answer)
  const { p50, p99 } = percentiles(taken)
  return { p50, p99, p999: quantile(taken, 0.999) * 1e3, rate: (sent / elapsed) * 1e3 }
}
