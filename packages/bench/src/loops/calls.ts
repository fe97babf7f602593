// The loops of a measuring thread, and what serves them to the process of the benchmark. In a closed loop, the next call waits for an answer: one at a
// time for latencies, more for a rate. The open loop sends a call when it is due, even if earlier calls are pending, and times it from then: a loop that
// waits for each answer hides stalls.
import { setTimeout as delay } from 'node:timers/promises'
import type { Call, Payload } from '../model/payloads.js'
import type { Loop, Measurement, Task } from '../model/scenario.js'
import { isStationary, median, quantile } from '../shared/statistics.js'
import { getChunk } from './peers.js'

/** A limit of memory, 8 MiB. A measurement ends with its last sample. */
const MAX_SAMPLES = 2 ** 20
let samples: Float64Array | undefined

/** The clock takes 45 ns, and a call can take 1 µs. */
const CALLS_PER_CLOCK_READ = 16

/** Repeats the calls, with `inFlight` of them at any time. */
const measureCalls: MeasureLoop = async (subject, calls, task) => {
  await checkOnce(subject, calls)
  return task.inFlight === undefined || task.inFlight === 1
    ? oneAtATime(subject, calls, task)
    : manyAtATime(subject, calls, task)
}

const oneAtATime: MeasureLoop = async (subject, calls, { ms }) => {
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

const manyAtATime: MeasureLoop = async (subject, calls, { ms, inFlight = 1 }) => {
  const readCpu = startCpuClock()
  const start = performance.now()
  const end = start + ms
  let count = 0
  let over = false
  const callUntilOver = async (): Promise<() => void> => {
    let call: ReadyCall
    let answer: unknown
    do {
      call = calls[count++ % calls.length]!
      answer = await subject.call(call.command, call.args)
      if (count % CALLS_PER_CLOCK_READ === 0) over ||= performance.now() >= end
    } while (!over)
    return () => checkAnswer(call, answer)
  }
  const checks = await Promise.all(Array.from({ length: inFlight }, callUntilOver))
  const elapsed = performance.now() - start
  const cpu = readCpu() / count
  for (const check of checks) check()
  return { ...perCall(count, elapsed), cpu }
}

const perCall = (count: number, ms: number): Measurement => ({ rate: (count / ms) * 1e3, each: (ms / count) * 1e3 })

const callAfterSilence =
  (silenceMs: number, count: number): MeasureLoop =>
  async (subject, calls, { ms }) => {
    await checkOnce(subject, calls)
    const latencies: number[] = []
    const end = performance.now() + ms
    do {
      await delay(silenceMs)
      for (let made = 0; made < count; made++) {
        const call = calls[latencies.length % calls.length]!
        const start = performance.now()
        const answer = await subject.call(call.command, call.args)
        latencies.push(performance.now() - start)
        if (made === count - 1) checkAnswer(call, answer)
      }
    } while (performance.now() < end)
    return percentiles(Float64Array.from(latencies))
  }

/** After 4 ms a thread's code is not in the caches, and its CPU core can sleep. */
const measureSparseCalls: MeasureLoop = callAfterSilence(4, 1)

/** After 60 ms no link polls. */
const measureBursts: MeasureLoop = callAfterSilence(60, 40)

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

const measureOpenCalls: MeasureLoop = async (subject, calls, { ms, perSecond = 1000 }) => {
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

/** A transport as the loops use it. */
export interface Subject {
  /** @param args named arguments, or bytes */
  call(command: string, args: unknown): Promise<unknown>
  /** Calls a command that sends `count` messages back in order, and resolves when the call is answered. */
  stream(command: string, count: number, receive: (message: unknown) => void): Promise<unknown>
}

export type MeasureLoop = (subject: Subject, calls: Calls, task: Task) => Promise<Measurement>

export function callsOnly(call: Subject['call']): Subject {
  const stream = (): never => {
    throw new Error('This arm carries calls only')
  }
  return { call, stream }
}

/** A call as it is sent. */
interface ReadyCall extends Omit<Call, 'expected'> {
  expected: Buffer
  bytes: boolean
}

export type Calls = readonly ReadyCall[]

export function prepareCall({ command, args, expected, bytes = false }: Call): ReadyCall {
  if (!bytes) return { command, args, expected: toJson(expected), bytes }
  // A Buffer can share its memory with others, all of which a structured clone would copy.
  const toBytes = (value: unknown): Buffer => {
    if (bytes === 'base64') return Buffer.from(value as string, 'base64')
    return value === undefined ? Buffer.alloc(0) : toJson(value)
  }
  return { command, args: Uint8Array.from(toBytes(args)), expected: toBytes(expected), bytes: true }
}

const toJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? 'undefined')

/** @throws Error unless the answer equals the expected one, byte for byte or as JSON */
export function checkAnswer({ command, expected, bytes }: ReadyCall, answer: unknown): void {
  const isBytes = answer instanceof Uint8Array || answer instanceof ArrayBuffer
  const received = isBytes ? Buffer.from(answer as ArrayBuffer) : toJson(answer)
  if (isBytes === bytes && expected.equals(received)) return
  throw new Error(`'${command}' returned ${preview(received)}; expected ${preview(expected)}`)
}

const preview = (bytes: Buffer): string =>
  bytes.length <= 80 ? bytes.toString() : `${bytes.subarray(0, 60).toString()}… (${bytes.length} bytes)`

const checked = new WeakSet<Calls>()

async function checkOnce(subject: Subject, calls: Calls): Promise<void> {
  if (checked.has(calls)) return
  for (const call of calls) checkAnswer(call, await subject.call(call.command, call.args))
  checked.add(calls)
}

/** Returns a function for the CPU time of this process since the start, in µs. Only one arm works at a time. */
export function startCpuClock(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
}

function percentiles(ms: Float64Array): { p50: number; p99: number } {
  const sorted = ms.sort()
  return { p50: quantile(sorted, 0.5) * 1e3, p99: quantile(sorted, 0.99) * 1e3 }
}

/** Repeats work that takes milliseconds, `inFlight` times at any time and `least` times or more, after a pause, and times each. */
export async function repeat(
  work: () => Promise<unknown>,
  { ms, inFlight = 1 }: Task,
  { pauseMs = 0, least = 1 }: { pauseMs?: number; least?: number } = {},
): Promise<Measurement> {
  const latencies: number[] = []
  const start = performance.now()
  const repeatOne = async (): Promise<void> => {
    do {
      if (pauseMs > 0) await delay(pauseMs)
      const before = performance.now()
      await work()
      latencies.push(performance.now() - before)
    } while (performance.now() < start + ms || latencies.length < least)
  }
  await Promise.all(Array.from({ length: inFlight }, repeatOne))
  const rate = (latencies.length / (performance.now() - start)) * 1000
  return { ...percentiles(Float64Array.from(latencies)), rate }
}

export interface Request {
  task: Task
  payloadId: string
  /** Sent with the first request of this payload. */
  payload?: Payload
}

/** Messages of one channel. */
const STREAM = 4096

const measureStream: MeasureLoop = async (subject, _calls, { ms }) => {
  let received = 0
  let messages = 0
  const start = performance.now()
  do {
    let next = 0
    // A message that is lost or out of order is not counted.
    await subject.stream('download', STREAM, message => {
      if (getChunk(message) === next++) received++
    })
    messages += STREAM
  } while (performance.now() < start + ms)
  if (received !== messages) throw new Error(`${received} of ${messages} messages arrived in order`)
  return { rate: (messages / (performance.now() - start)) * 1e3 }
}

const LOOPS: Partial<Record<Loop, MeasureLoop>> = {
  calls: measureCalls,
  sparse: measureSparseCalls,
  burst: measureBursts,
  open: measureOpenCalls,
  stream: measureStream,
}

/** Parts of a measurement with a settling time. */
const PARTS = 8

/**
 * Returns the median of the parts from the first three that agree, or of the second half. A ring that slept must begin to poll, and a short
 * disturbance is in one part only.
 */
async function measureParts(measure: (ms: number) => Promise<Measurement>, totalMs: number): Promise<Measurement> {
  const parts: Measurement[] = []
  const end = performance.now() + totalMs
  do parts.push(await measure(totalMs / PARTS))
  while (performance.now() < end)
  const values = parts.map(({ p50, rate, each = 0 }) => p50 ?? rate ?? each)
  const first = values.findIndex((_, index) => isStationary(values.slice(index, index + 3)))
  const kept = parts.slice(first < 0 ? parts.length / 2 : first)
  const names = Object.keys(parts[0]!)
  return Object.fromEntries(names.map(name => [name, median(kept.map(part => part[name]!))]))
}

export async function measureTask(subject: Subject, calls: Calls, task: Task): Promise<Measurement> {
  const loop = LOOPS[task.loop]
  if (!loop) throw new Error(`This arm has no loop '${task.loop}'`)
  const { ms, settleMs = 0 } = task
  const measure = (length: number): Promise<Measurement> => loop(subject, calls, { ...task, ms: length })
  return settleMs === 0 ? measure(ms) : measureParts(measure, settleMs + ms)
}

export function createMeasure(subject: Subject): (request: Request) => Promise<Measurement> {
  const prepared = new Map<string, Calls>()
  return async ({ task, payloadId, payload }) => {
    if (payload) prepared.set(payloadId, payload.calls.map(prepareCall))
    return measureTask(subject, prepared.get(payloadId) ?? [], task)
  }
}
