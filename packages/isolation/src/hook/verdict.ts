// Reads a hook's answer into a verdict. Each member of the answer is read once, because reading can run the hook's code.
import type { Envelope } from './envelope.js'
import type { MessageOptions, PassedMessage, Verdict } from './types.js'

export type Rejection = Extract<Verdict, { kind: 'reject' }>

const reject = (why: Rejection['why']): Rejection => Object.freeze({ kind: 'reject', why })

export const REJECT: Readonly<Record<'null' | 'threw' | 'timeout', Rejection>> = {
  null: reject('null'),
  threw: reject('threw'),
  timeout: reject('timeout'),
}

const malformed = (detail: string): Rejection => ({ kind: 'reject', why: 'malformed', detail })

/** The message passed the hook, or there is no hook, but it cannot be serialized. */
export const NOT_SERIALIZABLE: Rejection = malformed('it cannot be serialized')
/** The hook was not called, because too many messages wait for it. */
export const OVERLOADED: Rejection = reject('overloaded')

/** Reads a hook's answer. Never throws. */
export function readVerdict(answer: unknown, envelope: Envelope | undefined): Verdict {
  if (answer === null || answer === undefined) return REJECT.null
  if (typeof answer !== 'object') return malformed(`the hook returned a ${typeof answer}`)
  try {
    const message = envelope === undefined ? (answer as Partial<PassedMessage>) : envelope.read(answer)
    if (typeof message === 'string') return malformed(message)
    const { cmd, payload, options: rawOptions } = message
    if (typeof cmd !== 'string' || cmd === '') return malformed('cmd is not a string, or empty')
    // Notifications of the bus itself: neither a frontend nor a hook can send them.
    if (cmd.startsWith('$/')) return malformed('cmd starts with "$/"')
    if (payload !== undefined && !isPayload(payload)) return malformed('payload is neither an object nor bytes')
    const options = rawOptions === undefined || rawOptions === null ? undefined : readOptions(rawOptions)
    return typeof options === 'string' ? malformed(options) : { kind: 'pass', message: { cmd, payload, options } }
  } catch {
    return malformed('reading the answer threw')
  }
}

/** Returns true for named arguments, or bytes. */
const isPayload = (payload: unknown): boolean =>
  typeof payload === 'object' && payload !== null && !Array.isArray(payload)

/** Returns a copy, so that the headers that are sent are those that were checked. Returns a string if they are malformed. */
function readOptions(options: unknown): MessageOptions | undefined | string {
  if (typeof options !== 'object') return 'options are not an object'
  const rawHeaders: unknown = (options as MessageOptions).headers
  if (rawHeaders === undefined || rawHeaders === null) return undefined
  if (typeof rawHeaders !== 'object') return 'options.headers are not an object'
  const headers: Record<string, string> = {}
  for (const name of Object.keys(rawHeaders)) {
    const value: unknown = (rawHeaders as Record<string, unknown>)[name]
    if (typeof value !== 'string' || name === '__proto__') return 'options.headers are not all strings'
    headers[name] = value
  }
  return { headers }
}
