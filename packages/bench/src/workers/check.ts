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
  /** The message of its error stands for its answer. */
  fails: boolean
}

const jsonBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value) ?? 'undefined')

/** Of nothing there are none. */
const bytesOf = (value: unknown): Buffer => (value === undefined ? Buffer.alloc(0) : jsonBytes(value))

const isBytes = (value: unknown): value is Uint8Array | ArrayBuffer =>
  value instanceof Uint8Array || value instanceof ArrayBuffer

export function makeReady({ command, args, expected, bytes = false, fails = false }: Call): ReadyCall {
  // Plain Uint8Arrays of their own memory: a Buffer may share its memory with others, and would be cloned whole.
  const ready = bytes ? Uint8Array.from(bytesOf(args)) : args
  return { command, args: ready, expected: bytes ? bytesOf(expected) : jsonBytes(expected), bytes, fails }
}

/** @throws Error where an answer is not byte for byte, or as JSON, the expected one */
export function checkAnswer({ command, expected, bytes }: ReadyCall, answer: unknown): void {
  const got = isBytes(answer) ? Buffer.from(answer as ArrayBuffer) : jsonBytes(answer)
  if (isBytes(answer) === bytes && expected.equals(got)) return
  throw new Error(`'${command}' answered ${show(got)} where ${show(expected)} was expected`)
}

/** A subject whose calls have to fail: the error's message is the answer, and an answer the error. */
export const failing = (subject: Subject): Subject => ({
  ...subject,
  call: async (command, args) => {
    let answer: unknown
    try {
      answer = await subject.call(command, args)
    } catch (error) {
      return (error as Error).message
    }
    throw new Error(`'${command}' answered ${show(jsonBytes(answer))} where it had to fail`)
  },
})

const checked = new WeakSet<readonly ReadyCall[]>()

/** Sends every document once and checks the answers, the first time that these calls are measured. */
export async function checkOnce(subject: Subject, calls: readonly ReadyCall[]): Promise<void> {
  if (checked.has(calls)) return
  for (const call of calls) checkAnswer(call, await subject.call(call.command, call.args))
  checked.add(calls)
}

const show = (bytes: Buffer): string =>
  bytes.length <= 80 ? bytes.toString() : `${bytes.subarray(0, 60).toString()}… (${bytes.length} bytes)`
