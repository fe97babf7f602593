// The loops that call. One at a time gives latencies; more at a time gives a rate. One reading of the clock serves as the
// end of a call and the start of the next.
import { setTimeout as delay } from 'node:timers/promises'
import type { Measurement } from '../task.js'
import { checkOnce, checkAnswer, type ReadyCall } from './check.js'
import { startCpuClock } from './cpu-clock.js'
import { percentiles } from './percentiles.js'
import type { Subject } from './subject.js'

/** A bound on memory: a measurement ends with its last sample, 8 MiB of them. */
const MAX_SAMPLES = 2 ** 20
let samples: Float64Array | undefined

/** With many in flight the clock is read by one call in so many: it takes 45 ns, and a call may take 1 µs. */
const LOOK_EACH = 16

/** Between two sparse calls, in milliseconds: a thread that waits so long has left its caches, and its core may sleep. */
const SPARSE_MS = 4

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
  const readCpu = startCpuClock()
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
  const cpu = readCpu() / count
  checkAnswer(calls[(count - 1) % calls.length]!, answer)
  return { ...percentiles(samples.subarray(0, count)), ...perCall(count, now - start), cpu }
}

async function manyAtATime(
  subject: Subject,
  calls: readonly ReadyCall[],
  ms: number,
  inFlight: number,
): Promise<Measurement> {
  const readCpu = startCpuClock()
  const start = performance.now()
  const end = start + ms
  let count = 0
  let over = false
  const lane = async (): Promise<() => void> => {
    let call: ReadyCall
    let answer: unknown
    do {
      call = calls[count++ % calls.length]!
      answer = await subject.call(call.command, call.args)
      if (count % LOOK_EACH === 0) over ||= performance.now() >= end
    } while (!over)
    return () => checkAnswer(call, answer)
  }
  const checks = await Promise.all(Array.from({ length: inFlight }, lane))
  const elapsed = performance.now() - start
  const cpu = readCpu() / count
  for (const check of checks) check()
  return { ...perCall(count, elapsed), cpu }
}

/** One call, a pause, and so on: what a call costs that finds everything asleep. */
export async function measureSparseCalls(
  subject: Subject,
  calls: readonly ReadyCall[],
  ms: number,
): Promise<Measurement> {
  await checkOnce(subject, calls)
  const taken: number[] = []
  const end = performance.now() + ms
  do {
    await delay(SPARSE_MS)
    const call = calls[taken.length % calls.length]!
    const start = performance.now()
    const answer = await subject.call(call.command, call.args)
    taken.push(performance.now() - start)
    checkAnswer(call, answer)
  } while (performance.now() < end)
  return percentiles(Float64Array.from(taken))
}

const perCall = (count: number, ms: number): { rate: number; each: number } => ({
  rate: (count / ms) * 1e3,
  each: (ms / count) * 1e3,
})
