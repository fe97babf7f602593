// The message that a hook gets, its answer, and the verdict. Members of an answer are read once: reading can run the hook's code.

/** Tauri's message, as a hook sees every command and every event of the frontend. */
export interface HookMessage {
  cmd: string
  callback: number
  error: number
  payload: unknown
  options: MessageOptions | undefined
}

export interface MessageOptions {
  headers?: Record<string, string>
}

/** The message that passes. `payload` is the hook's own object: it must be encoded before the hook runs again. */
export interface PassedMessage {
  readonly cmd: string
  readonly payload: unknown
  readonly options: MessageOptions | undefined
}

/**
 * The reasons of a rejection: the hook returned null or undefined (`null`), threw or rejected (`threw`), missed its deadline
 * (`timeout`), or did not return a message (`malformed`; `detail` explains it). With `overloaded`, the hook was not called.
 */
export type Verdict =
  | { readonly kind: 'pass'; readonly message: PassedMessage }
  | {
      readonly kind: 'reject'
      readonly why: 'null' | 'threw' | 'timeout' | 'malformed' | 'overloaded'
      readonly detail?: string
    }

/** Returns the message that an answer means, or a string that describes why it is malformed. Throws what the answer's getters throw. */
export type AnswerReader = (answer: object) => Partial<PassedMessage> | string

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

/** Reads a hook's answer. Never throws. @param readAnswer - reads an answer in another format; see `LegacyMessage` */
export function readVerdict(answer: unknown, readAnswer?: AnswerReader): Verdict {
  if (answer === null || answer === undefined) return REJECT.null
  if (typeof answer !== 'object') return malformed(`the hook returned a ${typeof answer}`)
  try {
    const message = readAnswer === undefined ? (answer as Partial<PassedMessage>) : readAnswer(answer)
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
