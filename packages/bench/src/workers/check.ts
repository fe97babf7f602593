// Is an answer the right one? Asked outside of the measured time: for every document once before an arm measures it, and
// for the last answers of every measurement.
import type { Call } from '../payloads/payload.js'
import type { Subject } from './subject.js'

/** A call, ready to be sent again and again. */
export interface ReadyCall {
  command: string
  args: unknown
  expected: Buffer
  /** Bytes have to come back as bytes. */
  bytes: boolean
}

const jsonBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? 'undefined')

const isBytes = (value: unknown): value is Uint8Array | ArrayBuffer =>
  value instanceof Uint8Array || value instanceof ArrayBuffer

export function makeReady({ command, args, expected, bytes = false }: Call): ReadyCall {
  // Plain Uint8Arrays of their own memory: a Buffer may share its memory with others, and would be cloned whole.
  return { command, args: bytes ? Uint8Array.from(jsonBytes(args)) : args, expected: jsonBytes(expected), bytes }
}

/** @throws Error where an answer is not byte for byte, or as JSON, the expected one */
export function checkAnswer({ command, expected, bytes }: ReadyCall, answer: unknown): void {
  const got = isBytes(answer) ? Buffer.from(answer as ArrayBuffer) : jsonBytes(answer)
  if (isBytes(answer) === bytes && expected.equals(got)) return
  throw new Error(`'${command}' answered ${show(got)} where ${show(expected)} was expected`)
}

const checked = new WeakSet<readonly ReadyCall[]>()

/** Sends every document once and checks the answers, the first time that these calls are measured. */
export async function checkOnce(subject: Subject, calls: readonly ReadyCall[]): Promise<void> {
  if (checked.has(calls)) return
  for (const call of calls) checkAnswer(call, await subject.call(call.command, call.args))
  checked.add(calls)
}

const show = (bytes: Buffer): string =>
  bytes.length <= 80 ? bytes.toString() : `${bytes.subarray(0, 60).toString()}… (${bytes.length} bytes)`
