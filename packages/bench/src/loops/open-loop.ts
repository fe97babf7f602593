// The open loops of calls: a call is sent when it is due, whether earlier ones are answered or not, and is timed from that moment.
// A closed loop sends nothing while nothing is answered, and so hides every stall.
import { quantile } from '../statistics/median.js'
import { measureCalls } from './calls.js'
import { checkAnswer, checkOnce, percentiles, type Calls, type MeasureLoop, type Subject } from './subject.js'

/** Bounds on memory. Calls that are due beyond `MAX_UNANSWERED` are sent later, but timed from when they were due. */
const MAX_CALLS = 2 ** 19
const MAX_UNANSWERED = 8192

/** How an arm's capacity is measured: so many calls in flight, for this part of the time. */
const CAPACITY_IN_FLIGHT = 64
const CAPACITY_SHARE = 0.25

export interface Offered {
  /** Milliseconds from when a call was due to its answer, of the calls that were answered. */
  latencies: Float64Array
  sent: number
  elapsed: number
}

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/**
 * Sends `perMs` calls every millisecond for `ms` milliseconds, and waits for all that are in flight.
 *
 * @param send resolves to whether the call was answered, and rejects if the measurement has failed
 */
export async function offer(
  send: (index: number) => Promise<boolean>,
  perMs: number,
  ms: number,
  maxUnanswered: number = MAX_UNANSWERED,
): Promise<Offered> {
  const total = Math.min(MAX_CALLS, Math.max(1, Math.floor(perMs * ms)))
  const latencies = new Float64Array(total)
  let answered = 0
  let unanswered = 0
  let failure: unknown
  let last = 0
  const start = performance.now()
  const sendOne = (index: number): void => {
    unanswered++
    send(index)
      .then(ok => {
        last = performance.now()
        if (ok) latencies[answered++] = last - (start + index / perMs)
      })
      .catch((error: unknown) => (failure ??= error))
      .finally(() => unanswered--)
  }
  let sent = 0
  while (sent < total && failure === undefined) {
    const due = Math.min(total, 1 + Math.floor((performance.now() - start) * perMs))
    while (sent < due && unanswered < maxUnanswered) sendOne(sent++)
    await nextTick()
  }
  while (unanswered > 0 && failure === undefined) await nextTick()
  if (failure !== undefined) throw failure
  return { latencies: latencies.subarray(0, answered), sent, elapsed: last - start }
}

/** Measures how many calls per millisecond the arm can answer now. */
async function measureCapacity(subject: Subject, calls: Calls, ms: number): Promise<number> {
  const task = { loop: 'calls', ms: ms * CAPACITY_SHARE, inFlight: CAPACITY_IN_FLIGHT } as const
  const { rate } = await measureCalls(subject, calls, task)
  return rate! / 1e3
}

/** Offers half of what the arm can answer. */
export const measureOpenCalls: MeasureLoop = async (subject, calls, { ms }) => {
  await checkOnce(subject, calls)
  const perMs = (await measureCapacity(subject, calls, ms)) / 2
  let answer: unknown
  let answeredCall = calls[0]!
  const send = async (index: number): Promise<boolean> => {
    const call = calls[index % calls.length]!
    answer = await subject.call(call.command, call.args)
    answeredCall = call
    return true
  }
  const { latencies, sent, elapsed } = await offer(send, perMs, ms * (1 - CAPACITY_SHARE))
  checkAnswer(answeredCall, answer)
  const { p50, p99 } = percentiles(latencies)
  return { p50, p99, p999: quantile(latencies, 0.999) * 1e3, rate: (sent / elapsed) * 1e3 }
}

/** Offers twice what the arm can answer. Each call must be answered rightly, or be rejected as `Overloaded`. */
export const measureOverload: MeasureLoop = async (subject, calls, { ms }) => {
  const perMs = 2 * (await measureCapacity(subject, calls, ms))
  let rejected = 0
  const send = async (index: number): Promise<boolean> => {
    const call = calls[index % calls.length]!
    try {
      checkAnswer(call, await subject.call(call.command, call.args))
      return true
    } catch (error) {
      if ((error as { reason?: unknown } | undefined)?.reason !== 'Overloaded') throw error
      rejected++
      return false
    }
  }
  const { latencies, sent, elapsed } = await offer(send, perMs, ms, Infinity)
  const answered = latencies.length
  if (answered + rejected !== sent) throw new Error(`${answered} answers and ${rejected} rejections of ${sent} calls`)
  return { rate: (answered / elapsed) * 1e3, refused: (rejected / sent) * 100, p99: percentiles(latencies).p99 }
}
