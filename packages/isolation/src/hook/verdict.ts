// What a hook's answer means: pass, with which message, or reject, and why. Each member of the answer is read once,
// because reading it may run the hook's code.
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

/** What passed, by the hook's word or for want of a hook. */
export const CANNOT_BE_CARRIED: Rejection = malformed('it can’t be carried')
/** The hook was not asked: too many messages wait for it. */
export const OVERLOADED: Rejection = reject('overloaded')

/** Reads a hook's answer. It never throws. */
export function readVerdict(result: unknown, envelope: Envelope | undefined): Verdict {
  if (result === null || result === undefined) return REJECT.null
  if (typeof result !== 'object') return malformed(`the hook returned a ${typeof result}`)
  try {
    const answer = envelope === undefined ? (result as Partial<PassedMessage>) : envelope.read(result)
    if (typeof answer === 'string') return malformed(answer)
    const { cmd, payload, options: given } = answer
    if (typeof cmd !== 'string' || cmd === '') return malformed('cmd is not a string, or empty')
    // The bus's own notifications: not a frontend's to send, so not a hook's either.
    if (cmd.startsWith('$/')) return malformed('cmd starts with "$/"')
    if (payload !== undefined && !isPayload(payload)) return malformed('payload is neither an object nor bytes')
    if (given === undefined || given === null) return { kind: 'pass', message: { cmd, payload, options: undefined } }
    const options = readOptions(given)
    return typeof options === 'string' ? malformed(options) : { kind: 'pass', message: { cmd, payload, options } }
  } catch {
    return malformed('reading the answer threw')
  }
}

/** What a call's params may be: named arguments, or bytes. */
const isPayload = (payload: unknown): boolean =>
  typeof payload === 'object' && payload !== null && !Array.isArray(payload)

/** A copy: a header is checked and sent as it was at one moment. */
function readOptions(options: unknown): MessageOptions | undefined | string {
  if (typeof options !== 'object') return 'options are not an object'
  const given: unknown = (options as MessageOptions).headers
  if (given === undefined || given === null) return undefined
  if (typeof given !== 'object') return 'options.headers are not an object'
  const headers: Record<string, string> = {}
  for (const name of Object.keys(given)) {
    const value: unknown = (given as Record<string, unknown>)[name]
    if (typeof value !== 'string' || name === '__proto__') return 'options.headers are not all strings'
    headers[name] = value
  }
  return { headers }
}
