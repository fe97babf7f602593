// Errors as data: name, message and stack, which has the file, line and column, own properties such as `code`, and what caused them. Core and the
// host see them. Data is a member `cause` of JSON-RPC's error object, which core passes on to trusted code alone: other frontends get the message.
import { isDevelopment } from '../util/development.js'
import { isError } from '../util/type-guards.js'
import { type BusError, describeThrown, type ErrorObject, fromErrorObject, toErrorObject } from './bus-error.js'
import { getUserStack } from './caller-stack.js'

/** Longest name, message and stack, in characters. */
const MAX_TEXT = { name: 100, message: 4096, stack: 16_384 }
/** Errors in one: itself, and those of `cause` and `errors`. */
const MAX_ERRORS = 10
/** Own properties of all of them, and the characters of their values. */
const MAX_PROPERTIES = 50
const MAX_PROPERTY_LENGTH = 1024

export interface ErrorData {
  name: string
  message: string
  stack: string
  /** Own properties that JSON can represent. */
  properties?: Record<string, unknown>
  cause?: ErrorData
  errors?: ErrorData[]
}

/** An error object with the error behind it. */
export interface CausedErrorObject extends ErrorObject {
  cause?: ErrorData
}

/** @throws what a getter of the error throws */
export function toErrorData(error: Error, seen: Set<unknown> = new Set(), left: Left = createLimits()): ErrorData {
  seen.add(error)
  const { name, stack, cause, errors } = error as Error & { errors?: unknown }
  const data: ErrorData = {
    name: toText(name, MAX_TEXT.name),
    message: toText(describeThrown(error), MAX_TEXT.message),
    stack: toText(isDevelopment() ? getUserStack(error) : stack, MAX_TEXT.stack),
  }
  const hasErrors = Array.isArray(errors) && errors.some(isError)
  const properties: Record<string, unknown> = {}
  for (const [key, value] of [...listProperties(error), ['cause', cause] as const]) {
    if (left.properties <= 0 || !isProperty(key) || (key === 'errors' && hasErrors) || isError(value)) continue
    const text = toJson(value)
    if (text === undefined || text.length > MAX_PROPERTY_LENGTH) continue
    left.properties--
    properties[key] = JSON.parse(text)
  }
  if (Object.keys(properties).length > 0) data.properties = properties
  const isNew = (inner: unknown): inner is Error => isError(inner) && seen.size < MAX_ERRORS && !seen.has(inner)
  if (isNew(cause)) data.cause = toErrorData(cause, seen, left)
  if (hasErrors) data.errors = errors.flatMap(inner => (isNew(inner) ? toErrorData(inner, seen, left) : []))
  return data
}

/** Returns the error of data, which can be anything. `undefined` for what is no object. Nothing of it is enumerable but its own properties, as in V8. */
export function fromErrorData(data: unknown, left: Left = createLimits()): Error | undefined {
  if (typeof data !== 'object' || data === null || left.errors-- <= 0) return undefined
  const { name, message, stack, properties, cause, errors } = data as { [Key in keyof ErrorData]?: unknown }
  const error = new Error(toText(message, MAX_TEXT.message))
  const define = (key: string, value: unknown, enumerable = false): unknown =>
    Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true })
  define('name', toText(name, MAX_TEXT.name))
  define('stack', toText(stack, MAX_TEXT.stack))
  for (const [key, value] of Object.entries(Object(properties) as object))
    if (isProperty(key) && left.properties-- > 0) define(key, value, key !== 'cause')
  const inner = fromErrorData(cause, left)
  if (inner) define('cause', inner)
  if (Array.isArray(errors)) define('errors', errors.map(each => fromErrorData(each, left)).filter(Boolean))
  return error
}

/** Returns the error object of an error, with the error that was thrown. */
export function toCausedErrorObject(error: BusError): CausedErrorObject {
  const object: CausedErrorObject = toErrorObject(error)
  try {
    const thrown = getThrown(error)
    if (thrown) object.cause = toErrorData(thrown)
  } catch {
    // A proxy, or a getter: code of the frontend's own threw it.
  }
  return object
}

/** Returns the `BusError` of a received error object, whose `cause` is the error behind it. Not in pages, which never get one. */
export function fromCausedErrorObject(object: CausedErrorObject): BusError {
  const error = fromErrorObject(object)
  const cause = fromErrorData(object.cause)
  return cause ? Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true }) : error
}

type Left = { errors: number; properties: number }
const createLimits = (): Left => ({ errors: MAX_ERRORS, properties: MAX_PROPERTIES })

/** False for what every error has, such as `message` and `toString`. */
const isProperty = (key: string): boolean => !(key in Error.prototype) && key !== 'stack' && key.length <= MAX_TEXT.name

function listProperties(error: Error): [string, unknown][] {
  try {
    return Object.entries(error)
  } catch {
    // A getter threw.
    return []
  }
}

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** Returns the error that was thrown: a `BusError` can be that itself. `undefined` for a thrown value of another kind. */
function getThrown(error: BusError): Error | undefined {
  if (isError(error.cause)) return error.cause
  return 'cause' in error ? undefined : error
}

/** The other side is not trusted: anything else than a string is left out. */
const toText = (value: unknown, max: number): string => (typeof value === 'string' ? value.slice(0, max) : '')
