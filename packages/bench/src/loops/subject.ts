// The tools of a loop: the arm in the measuring thread, checked calls, and clocks.
import type { Measurement, Task } from '../model/scenario.js'
import type { Call } from '../payloads/payloads.js'
import { quantile } from '../statistics/median.js'

/** A transport as the loops use it. */
export interface Subject {
  /** @param args named arguments, or bytes */
  call(command: string, args: unknown): Promise<unknown>
  /** Calls a command with bytes that are transferred, and resolves to bytes that the other side transferred. */
  transfer?(command: string, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
  emit(event: string, payload: unknown): unknown
  /** @returns an unsubscribe function */
  listen(event: string, receive: (payload: unknown) => void): Promise<() => void>
  /** Calls a command that sends `count` messages back in order, and resolves when the call is answered. */
  stream(command: string, count: number, receive: (message: unknown) => void): Promise<unknown>
}

export type MeasureLoop = (subject: Subject, calls: Calls, task: Task) => Promise<Measurement>

export function callsOnly(call: Subject['call']): Subject {
  const unsupported = (): never => {
    throw new Error('This arm carries calls only')
  }
  return { call, emit: unsupported, listen: unsupported, stream: unsupported }
}

/** A call as it is sent. */
export interface ReadyCall extends Required<Omit<Call, 'expected'>> {
  expected: Buffer
}

export type Calls = readonly ReadyCall[]

export function prepareCall({ command, args, expected, bytes = false }: Call): ReadyCall {
  if (!bytes) return { command, args, expected: toJson(expected), bytes }
  // A Buffer can share its memory with others, all of which a structured clone would copy.
  return { command, args: Uint8Array.from(toBytes(args)), expected: toBytes(expected), bytes }
}

const toJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? 'undefined')

const toBytes = (value: unknown): Buffer => (value === undefined ? Buffer.alloc(0) : toJson(value))

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

/** Sends every call once and checks its answer, before the first measurement of these calls. */
export async function checkOnce(subject: Subject, calls: Calls): Promise<void> {
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

/** Converts latencies from ms to µs. Sorts them in place. */
export function percentiles(ms: Float64Array): { p50: number; p99: number } {
  const sorted = ms.sort()
  return { p50: quantile(sorted, 0.5) * 1e3, p99: quantile(sorted, 0.99) * 1e3 }
}

/** A limit of memory: later calls of a measurement are not recorded. */
const MAX_ARRIVALS = 2 ** 20

/** Times calls in core for frontends without a clock: two arrivals are a call and its answer apart. */
export class ArrivalClock {
  #arrivals = new Float64Array(0)
  #count = 0

  start(): void {
    if (this.#arrivals.length === 0) this.#arrivals = new Float64Array(MAX_ARRIVALS)
    this.#count = 0
  }

  record(): void {
    if (this.#count < MAX_ARRIVALS) this.#arrivals[this.#count++] = performance.now()
  }

  /** @throws Error if fewer than two calls arrived */
  stop(): Measurement {
    const arrivals = this.#arrivals.subarray(0, this.#count)
    const intervals = arrivals.subarray(1).map((at, before) => at - arrivals[before]!)
    if (intervals.length === 0) throw new Error(`Core received ${arrivals.length} calls; 2 are needed`)
    return { ...percentiles(intervals), rate: (intervals.length / (arrivals.at(-1)! - arrivals[0]!)) * 1e3 }
  }
}
