// The open loop: sends a call when it is due, even if earlier calls are pending, and times it from then. A loop that waits for each
// answer hides stalls.
import { checkAnswer, checkOnce, percentiles, type MeasureLoop } from './subject.js'

/** A limit of memory. Further calls are sent later, but timed from when they were due. */
const MAX_UNANSWERED = 8192

const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Sends `perMs` calls every millisecond for `ms`. Returns the milliseconds from when each call was due to its answer. */
export async function offer(
  send: (index: number) => Promise<unknown>,
  perMs: number,
  ms: number,
  maxUnanswered: number = MAX_UNANSWERED,
): Promise<Float64Array> {
  const latencies = new Float64Array(Math.max(1, Math.floor(perMs * ms)))
  let [sent, answered, unanswered] = [0, 0, 0]
  let failure: unknown
  const start = performance.now()
  const sendOne = (index: number): void => {
    unanswered++
    send(index)
      .then(() => (latencies[answered++] = performance.now() - (start + index / perMs)))
      .catch((error: unknown) => (failure ??= error))
      .finally(() => unanswered--)
  }
  while (sent < latencies.length && failure === undefined) {
    const due = Math.min(latencies.length, 1 + Math.floor((performance.now() - start) * perMs))
    while (sent < due && unanswered < maxUnanswered) sendOne(sent++)
    await nextTick()
  }
  while (unanswered > 0 && failure === undefined) await nextTick()
  if (failure !== undefined) throw failure
  return latencies
}

export const measureOpenCalls: MeasureLoop = async (subject, calls, { ms, perSecond = 1000 }) => {
  await checkOnce(subject, calls)
  let check = (): void => {}
  const send = async (index: number): Promise<void> => {
    const call = calls[index % calls.length]!
    const answer = await subject.call(call.command, call.args)
    check = () => checkAnswer(call, answer)
  }
  const latencies = await offer(send, perSecond / 1e3, ms)
  check()
  return percentiles(latencies)
}
