// The inside's end of its connection to the script host: what the host does for a script, beside its link.
import { BusError, describeThrown, isBusError, toErrorData } from '@sallyport/protocol/internal/errors'
import { createDeferred, type Deferred } from '@sallyport/protocol/internal/util'
import type { CrossedError } from '../script-host/crossing.js'
import { convert } from './host.js'

/** Sends what the host does at once. Returns its result: a text, or bytes. */
export function post(operation: string, value?: unknown, bytes?: Uint8Array): unknown {
  try {
    return convert(operation, value, bytes)
  } catch (error) {
    throw toRefusal(error as Error)
  }
}

/** Returns what the host does with a value of JSON. */
export const convertJson = (operation: string, value: unknown): unknown =>
  JSON.parse(convert(operation, value) as string)

/** Returns the error with which the host has refused a message. It is the text of an error, unless that is the engine's own. */
function toRefusal(error: Error): unknown {
  try {
    return toError(JSON.parse(error.message))
  } catch {
    return error
  }
}

type Answer = readonly [value: unknown, bytes: Uint8Array | undefined]

let lastId = 0
export const createId = (): number => ++lastId
/** Requests that have no answer, by id. */
const pending = new Map<number, Deferred<Answer>>()

/** Resolves with the host's answer. */
export function request(operation: string, id: number, value?: unknown, bytes?: Uint8Array): Promise<Answer> {
  const answer = createDeferred<Answer>()
  pending.set(id, answer)
  try {
    post(operation, [id, value], bytes)
  } catch (error) {
    pending.delete(id)
    answer.reject(error)
  }
  return answer.promise
}

export function settle([id, value, error]: [number, unknown, CrossedError?], bytes: Uint8Array | undefined): void {
  const answer = pending.get(id)
  pending.delete(id)
  if (error) answer?.reject(toError(error))
  else answer?.resolve([value, bytes])
}

export const countRequests = (): number => pending.size

/** Rejects all requests: another host goes on with the script. */
export function rejectAll(error: BusError): void {
  for (const answer of pending.values()) answer.reject(error)
  pending.clear()
}

function toError({ message, name, reason, data }: CrossedError): Error {
  if (reason !== undefined) return new BusError(reason as 'Denied', message, data === undefined ? {} : { data })
  const error = new Error(message)
  if (name !== undefined) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  return error
}

/** Returns what the host learns of a thrown value. Never throws, whatever that value does. */
export function describeError(thrown: unknown): CrossedError {
  try {
    if (!(thrown instanceof Error)) return { message: describeThrown(thrown), isValue: true, data: thrown }
    const { name, message, stack, ...more } = toErrorData(thrown)
    if (isBusError(thrown)) return { name, message, stack, reason: thrown.reason, data: thrown.data }
    return { name, message, stack, thrown: more }
  } catch {
    return { message: 'a value that cannot be shown', isValue: true, data: null }
  }
}

/** Tells the host of a thrown value, without its data if that is no JSON. */
export function postError(operation: string, thrown: unknown): void {
  const error = describeError(thrown)
  try {
    post(operation, error)
  } catch {
    post(operation, { message: error.message })
  }
}

/** Runs code of the script, which an error that it does not catch ends. */
export function callScript(run: () => unknown): void {
  try {
    run()
  } catch (thrown) {
    postError('fault', thrown)
  }
}
