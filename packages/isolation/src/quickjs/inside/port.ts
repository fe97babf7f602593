// The inside's end of its connection to the script host: calls of the host and their answers.
import { BusError, describeThrown, isBusError, toErrorData } from '@sallyport/protocol/internal/errors'
import { type CrossedError, decodeValue, encodeValue, type ValueHooks } from '../values.js'

/** Functions of the script host. The first argument has an operation, an id and a value, which `encodeValue` has written. */
type Send = (text: string, ...bytes: ArrayBuffer[]) => unknown

const holder = globalThis as { __sallyport?: { send: Send } }
const { send } = holder.__sallyport!
delete holder.__sallyport

interface Start {
  label: string
  data: unknown
  isJson: boolean
  /** Placeholders of secrets, by name. */
  env?: Readonly<Record<string, string>> | undefined
}

export const start: Start = { label: '', data: undefined, isJson: true }

/** Those of this code, which is named so when it is evaluated. */
const OWN_FRAMES = /^.*\(sallyport:.*\n/gm

let lastId = 0
export const createId = (): number => ++lastId

const pending = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void; caller: Error }>()

/** What each other file of the inside does with values that stay on one side. */
export const references: {
  refer: ValueHooks['refer']
  resolve: ValueHooks['resolve']
} = { refer: () => undefined, resolve: () => undefined }

const hooks: ValueHooks = {
  refer: value => references.refer(value),
  resolve: reference => references.resolve(reference),
  isJson: () => start.isJson,
}
/** Values of JavaScript are copied as they are, and do not become JSON: the data of a script. */
const cloneHooks: ValueHooks = { ...hooks, isJson: () => false }

export function post(operation: string, id: number, value?: unknown): unknown {
  const bytes: Uint8Array[] = []
  const text = `${operation} ${id} ${encodeValue(value, hooks, bytes)}`
  try {
    return bytes.length === 0 ? send(text) : send(text, ...bytes.map(each => each.buffer as ArrayBuffer))
  } catch (error) {
    throw toRefusal(error as Error)
  }
}

/** Returns the error with which the host has refused a message. It is the text of an error, unless that is the engine's own. */
function toRefusal(error: Error): unknown {
  try {
    return toError(JSON.parse(error.message) as CrossedError)
  } catch {
    return error
  }
}

/** Sends bytes, or a text, that the host converts at once. */
export const convert = (operation: string, value: unknown): unknown => post(operation, 0, value)

/** Resolves with the host's answer. */
export function request(operation: string, value: unknown): Promise<unknown> {
  // The engine knows nothing of the call any more when its error arrives.
  const caller = new Error()
  return new Promise((resolve, reject) => {
    const id = createId()
    pending.set(id, { resolve, reject, caller })
    try {
      post(operation, id, value)
    } catch (error) {
      pending.delete(id)
      reject(error)
    }
  })
}

export function settle(id: number, value: unknown): void {
  const waiting = pending.get(id)
  pending.delete(id)
  waiting?.resolve(value)
}

export function fail(id: number, error: CrossedError): void {
  const waiting = pending.get(id)
  pending.delete(id)
  const thrown = toError(error)
  const stack = waiting?.caller.stack?.replaceAll(OWN_FRAMES, '')
  // Not enumerable, as the engine's own.
  if (thrown instanceof Error)
    Object.defineProperty(thrown, 'stack', { value: stack, configurable: true, writable: true })
  waiting?.reject(thrown)
}

export const decode = (text: string, bytes: Uint8Array[]): unknown => decodeValue(text, hooks, bytes)
export const decodeClone = (text: string, bytes: Uint8Array[]): unknown => decodeValue(text, cloneHooks, bytes)

export function toError({ message, name, reason, data, isValue }: CrossedError): unknown {
  if (isValue) return data
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

/** Ends the script with an error that it did not catch. */
function fault(thrown: unknown): void {
  const error = describeError(thrown)
  try {
    post('fault', 0, error)
  } catch {
    post('fault', 0, { message: error.message })
  }
}

/** Runs code of the script. */
export function callScript(run: () => unknown): void {
  try {
    run()
  } catch (thrown) {
    fault(thrown)
  }
}
