// The tools of a loop: the arm in the measuring thread, checked calls, and clocks.
import { setTimeout as delay } from 'node:timers/promises'
import type { Measurement, Task } from '../scenarios/scenario.js'
import type { Call } from '../scenarios/payloads.js'
import { quantile } from '../shared/statistics.js'

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
export interface ReadyCall extends Omit<Call, 'expected'> {
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
