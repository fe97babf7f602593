// The loops of a measuring thread, and what serves them to the process of the benchmark: one call at a time for a latency, many for a rate and for the
// CPU time of each, calls after a silence, and calls at a fixed rate.
import { median, quantile } from '#measure/statistics'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { Call, Payload } from '../model/payloads.js'
import type { Loop, Measurement, Task } from '../model/scenario.js'

/** A limit of memory, 8 MiB. A measurement ends with its last sample. */
const MAX_SAMPLES = 2 ** 20
let samples: Float64Array | undefined

/** The clock takes 45 ns, and a call can take 1 µs. The few in flight at a time are large. */
const CALLS_PER_CLOCK_READ = 16

const takeCall = (calls: Calls, at: number): ReadyCall => calls[at % calls.length]!

/** Repeats the calls, with `inFlight` of them at any time. */
const measureCalls: MeasureLoop = async (send, calls, task) => {
  await checkOnce(send, calls)
  return task.inFlight === undefined || task.inFlight === 1
    ? oneAtATime(send, calls, task)
    : manyAtATime(send, calls, task)
}

const oneAtATime: MeasureLoop = async (send, calls, { ms }) => {
  samples ??= new Float64Array(MAX_SAMPLES)
  let count = 0
  let answer: unknown
  const readCpu = startCpuClock()
  const start = performance.now()
  const end = start + ms
  let now = start
  do {
    const { command, args } = takeCall(calls, count)
    answer = await send(command, args)
    const before = now
    now = performance.now()
    samples[count++] = now - before
  } while (now < end && count < MAX_SAMPLES)
  const cpu = readCpu() / count
  checkAnswer(takeCall(calls, count - 1), answer)
  return { p50: median(samples.subarray(0, count)) * 1e3, rate: getRate(count, now - start), cpu }
}

const manyAtATime: MeasureLoop = async (send, calls, { ms, inFlight = 1 }) => {
  const readCpu = startCpuClock()
  const start = performance.now()
  const end = start + ms
  const callsPerClockRead = Math.min(CALLS_PER_CLOCK_READ, inFlight)
  let count = 0
  let over = false
  const callUntilOver = async (): Promise<() => void> => {
    let call: ReadyCall
    let answer: unknown
    do {
      call = takeCall(calls, count++)
      answer = await send(call.command, call.args)
      if (count % callsPerClockRead === 0) over ||= performance.now() >= end
    } while (!over)
    return () => checkAnswer(call, answer)
  }
  const checks = await Promise.all(Array.from({ length: inFlight }, callUntilOver))
  const elapsed = performance.now() - start
  const cpu = readCpu() / count
  for (const check of checks) check()
  return { rate: getRate(count, elapsed), cpu }
}

/** Latency breaks where its p99 is above. At most half of the calls wait that a frontend may have in flight. The last halving changes a rate by about 3 %. */
const [LIMIT_MS, MOST_WAITING, HALVINGS] = [5, 8192, 6]

/** Finds the highest rate at which the p99 stays below the limit, up to what 64 in flight reach and half as much again. */
const measureLoad: MeasureLoop = async (send, calls, task) => {
  await checkOnce(send, calls)
  const ms = task.ms / (HALVINGS + 2)
  const { rate: closed } = await manyAtATime(send, calls, { ...task, ms })
  let [limit, above] = [0, closed! * 1.5]
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (limit + above) / 2
    if ((await getTail(send, calls, middle, ms)) <= LIMIT_MS) limit = middle
    else above = middle
  }
  const p99 = (await getTail(send, calls, limit / 2, ms)) * 1e3
  return { limit, ...(Number.isFinite(p99) && { p99 }) }
}

/** Returns the p99 in ms, from when each call was due: a late one includes its wait. Infinity if too many wait. */
async function getTail(send: Send, calls: Calls, aSecond: number, ms: number): Promise<number> {
  const latencies: number[] = []
  const pending: Promise<void>[] = []
  const count = Math.ceil((aSecond * ms) / 1e3)
  const start = performance.now()
  const callAt = async (at: number): Promise<void> => {
    const { command, args } = takeCall(calls, at)
    await send(command, args)
    latencies.push(performance.now() - start - (at * 1e3) / aSecond)
  }
  while (pending.length < count && pending.length - latencies.length < MOST_WAITING) {
    const due = Math.min(count, latencies.length + MOST_WAITING, ((performance.now() - start) * aSecond) / 1e3)
    while (pending.length < due) pending.push(callAt(pending.length))
    await nextTurn()
  }
  await Promise.all(pending)
  return pending.length < count ? Infinity : quantile(Float64Array.from(latencies).sort(), 0.99)
}

const getRate = (count: number, ms: number): number => (count / ms) * 1e3

const callAfterSilence =
  (silenceMs: number, count: number): MeasureLoop =>
  async (send, calls, { ms }) => {
    await checkOnce(send, calls)
    const latencies: number[] = []
    const end = performance.now() + ms
    do {
      await delay(silenceMs)
      for (let made = 0; made < count; made++) {
        const call = takeCall(calls, latencies.length)
        const start = performance.now()
        const answer = await send(call.command, call.args)
        latencies.push(performance.now() - start)
        if (made === count - 1) checkAnswer(call, answer)
      }
    } while (performance.now() < end)
    return { p50: median(latencies) * 1e3 }
  }

/** After 4 ms a thread's code is not in the caches, and its CPU core can sleep. */
const measureSparseCalls: MeasureLoop = callAfterSilence(4, 1)

/** After 60 ms no link polls. */
const measureBursts: MeasureLoop = callAfterSilence(60, 40)

/** A transport as the loops use it. `args` are named arguments, or bytes. */
export type Send = (command: string, args: unknown) => Promise<unknown>

type MeasureLoop = (send: Send, calls: Calls, task: Task) => Promise<Measurement>

/** A call as it is sent. */
interface ReadyCall extends Call {
  expected: Buffer
}

export type Calls = readonly ReadyCall[]

export function prepareCall({ command, args, expected }: Call): ReadyCall {
  if (!(args instanceof Uint8Array)) return { command, args, expected: toJson(expected) }
  // A Buffer can share its memory with others, all of which a structured clone would copy.
  return { command, args: Uint8Array.from(args), expected: Buffer.from(expected as Uint8Array) }
}

const toJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? 'undefined')

/** @throws Error unless the answer equals the expected one, byte for byte or as JSON */
export function checkAnswer({ command, args, expected }: ReadyCall, answer: unknown): void {
  const isBytes = answer instanceof Uint8Array || answer instanceof ArrayBuffer
  const received = isBytes ? Buffer.from(answer as ArrayBuffer) : toJson(answer)
  if (isBytes === args instanceof Uint8Array && expected.equals(received)) return
  throw new Error(`'${command}' returned ${preview(received)}; expected ${preview(expected)}`)
}

const preview = (bytes: Buffer): string =>
  bytes.length <= 80 ? bytes.toString() : `${bytes.subarray(0, 60).toString()}… (${bytes.length} bytes)`

const checked = new WeakSet<Calls>()

async function checkOnce(send: Send, calls: Calls): Promise<void> {
  if (checked.has(calls)) return
  for (const call of calls) checkAnswer(call, await send(call.command, call.args))
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

/** A function of `workers/threads.ts`. */
export type ThreadRole = 'measure' | 'answer' | 'measureOneThread'

export interface Request {
  task: Task
  payloadId: string
  /** Sent with the first request of this payload. */
  payload?: Payload
}

const LOOPS: Partial<Record<Loop, MeasureLoop>> = {
  calls: measureCalls,
  load: measureLoad,
  sparse: measureSparseCalls,
  burst: measureBursts,
}

export async function measureTask(send: Send, calls: Calls, task: Task): Promise<Measurement> {
  const loop = LOOPS[task.loop]
  if (!loop) throw new Error(`This arm has no loop '${task.loop}'`)
  const { ms, settleMs = 0 } = task
  const measure = (length: number): Promise<Measurement> => loop(send, calls, { ...task, ms: length })
  if (settleMs > 0) await measure(settleMs)
  return measure(ms)
}

export function createMeasure(send: Send): (request: Request) => Promise<Measurement> {
  const prepared = new Map<string, Calls>()
  return async ({ task, payloadId, payload }) => {
    if (payload) prepared.set(payloadId, payload.calls.map(prepareCall))
    return measureTask(send, prepared.get(payloadId) ?? [], task)
  }
}
