// The loops that call. One at a time gives latencies; more at a time gives a rate. One reading of the clock serves as the
// end of a call and the start of the next.
import { quantile } from '../statistics/median.js'
import type { Measurement } from '../task.js'
import { checkOnce, checkAnswer, type ReadyCall } from './check.js'
import type { Subject } from './subject.js'

/** A bound on memory: a measurement ends with its last sample, 8 MiB of them. */
const MAX_SAMPLES = 2 ** 20
let samples: Float64Array | undefined

/** `calls` in turn, `inFlight` of them at any time, for `ms` milliseconds. */
export async function measureCalls(
  subject: Subject,
  calls: readonly ReadyCall[],
  ms: number,
  inFlight: number,
): Promise<Measurement> {
  await checkOnce(subject, calls)
  return inFlight === 1 ? oneAtATime(subject, calls, ms) : manyAtATime(subject, calls, ms, inFlight)
}

async function oneAtATime(subject: Subject, calls: readonly ReadyCall[], ms: number): Promise<Measurement> {
  samples ??= new Float64Array(MAX_SAMPLES)
  let count = 0
  let answer: unknown
  const start = performance.now()
  const end = start + ms
  let now = start
  do {
    const { command, args } = calls[count % calls.length]!
    answer = await subject.call(command, args)
    const before = now
    now = performance.now()
    samples[count++] = now - before
  } while (now < end && count < MAX_SAMPLES)
  checkAnswer(calls[(count - 1) % calls.length]!, answer)
  const sorted = samples.subarray(0, count).sort()
  return { p50: quantile(sorted, 0.5) * 1e3, p99: quantile(sorted, 0.99) * 1e3, rate: (count / (now - start)) * 1e3 }
}

async function manyAtATime(
  subject: Subject,
  calls: readonly ReadyCall[],
  ms: number,
  inFlight: number,
): Promise<Measurement> {
  const start = performance.now()
  const end = start + ms
  let count = 0
  const lane = async (): Promise<() => void> => {
    let call: ReadyCall
    let answer: unknown
    do {
      call = calls[count++ % calls.length]!
      answer = await subject.call(call.command, call.args)
    } while (performance.now() < end)
    return () => checkAnswer(call, answer)
  }
  const checks = await Promise.all(Array.from({ length: inFlight }, lane))
  const elapsed = performance.now() - start
  for (const check of checks) check()
  return { rate: (count / elapsed) * 1e3 }
}
