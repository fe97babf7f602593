// Judges messages with the user's hook: the message that it gets, in the format of older examples if it asks for that, its answer, and the
// verdict. Members of an answer are read once, because reading can run the hook's code; a thrown value is never read.
import { later } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { HOOK_NAME, type HookSandbox } from '../compartment/hook-sandbox.js'
import type { IsolationApp } from './isolation-app.js'
import { METHOD } from '@sallyport/protocol/internal/message'
import { onNextTick } from '@sallyport/protocol/internal/util'

/** The user's function, in its sandbox. It can return anything. */
export type HookFunction = (message: unknown) => unknown

/**
 * Handles the verdict on a message before more of the hook's code can run. `isLate` is true if the hook's answer was a promise: the
 * hook's code runs again before code that awaits the result.
 */
export type VerdictHandler<Result> = (verdict: Verdict, isLate: boolean) => Result

/** Judges one message. Returns the result of `handle`, as a promise only if the hook's answer was one. The promise never rejects. */
export type Hook = <Result>(message: HookMessage, handle: VerdictHandler<Result>) => Result | Promise<Result>

export interface CreateHookOptions {
  /** Milliseconds that an asynchronous hook can take. @default 30000 */
  deadline?: number
  /** Shows messages in the format of older examples (`payload.message.cmd`): see `toLegacyMessage`. */
  legacyMessages?: boolean
}

/** Returns the hook that the scripts have set. Its `this` is `window`. `null` means, as in Tauri, that every message passes. */
export function findHook(sandbox: HookSandbox, app: IsolationApp): HookFunction | null {
  const scripts = app.scripts.map(script => script.name).join(', ')
  let hook: unknown
  try {
    hook = sandbox.readHook()
  } catch {
    throw new BusError('InvalidParams', `Isolation app: ${scripts}: window.${HOOK_NAME} cannot be read`)
  }
  if (hook === null) return null
  if (typeof hook === 'function') return message => Reflect.apply(hook, sandbox.window, [message])
  const problem = hook === undefined ? `set no window.${HOOK_NAME}` : `set window.${HOOK_NAME} to a ${typeof hook}`
  throw new BusError('InvalidParams', `Isolation app: ${scripts} ${problem}: it must be a function, or null`)
}

/**
 * Creates a judge from the user's hook, or from `null`, which passes every message.
 *
 * `null`, `undefined`, a throw, a rejection and a missed deadline reject the message. The hook can change `cmd`, `payload` and
 * `options`, in place or in a new object. `callback` and `error` are not read back.
 */
export function createHook(judge: HookFunction | null, options: CreateHookOptions = {}): Hook {
  if (judge === null) return (message, handle) => handle({ kind: 'pass', message }, false)
  const { deadline = 30_000, legacyMessages = false } = options
  return function judgeMessage(message, handle) {
    const legacy = legacyMessages ? toLegacyMessage(message) : undefined
    let answer: unknown
    let then: unknown
    try {
      answer = judge(legacy === undefined ? message : legacy.shown)
      if (typeof answer === 'object' && answer !== null) then = (answer as { then?: unknown }).then
    } catch {
      return handle(REJECT.threw, false)
    }
    if (typeof then !== 'function') return handle(readVerdict(answer, legacy?.read), false)
    return settle(answer as object, then, legacy?.read, handle)
  }

  /** Waits for a promise like `await`, but reads `then` once, and takes the first of its answers and the deadline. */
  function settle<Result>(
    promise: object,
    then: Function,
    readAnswer: AnswerReader | undefined,
    handle: VerdictHandler<Result>,
  ): Promise<Result> {
    return new Promise(resolve => {
      let isOver = false
      const finish = (getVerdict: () => Verdict): void => {
        // A late or second answer is not read.
        if (isOver) return
        const result = handle(getVerdict(), true)
        // Reading can run the hook's code, which can answer again, or overflow the stack: an answer counts once it was handled.
        if (isOver) return
        isOver = true
        endDeadline()
        resolve(result)
      }
      // The answer can have arrived while this thread was busy.
      const expire = (): void => onNextTick(() => finish(() => REJECT.timeout))
      const endDeadline = later(deadline, expire)
      const fail = (): void => finish(() => REJECT.threw)
      try {
        Reflect.apply(then, promise, [(value: unknown) => finish(() => readVerdict(value, readAnswer)), fail])
      } catch {
        fail()
      }
    })
  }
}

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

const REJECT: Readonly<Record<'null' | 'threw' | 'timeout', Rejection>> = {
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
function readVerdict(answer: unknown, readAnswer?: AnswerReader): Verdict {
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

type Members = Record<string, unknown>

const isRecord = (value: unknown): value is Members => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)
}

/**
 * Returns the arguments of a changed message, or a string that describes why it is ambiguous. Arguments are shown twice: in
 * `message.args`, and as members next to it. A hook can change either.
 *
 * - If `args` is the same object, members that were changed, added or removed are changed, added or removed in the arguments.
 * - If `args` is another object, it is used, and members that were changed or added override it.
 * - If there is no `args`, the members are the arguments.
 * - If `args` is the same object in a rebuilt message without its members, it is ambiguous: unchanged, or no arguments?
 *
 * Unchanged arguments are returned as the same object.
 *
 * @param named - a copy of the shown arguments if they have names
 * @param members - all members of the returned message except `cmd` and `args`
 * @param isRebuilt - true if the returned message is another object than the shown one
 */
function mergeArgs(
  shown: unknown,
  named: Members | undefined,
  args: unknown,
  members: Members,
  isRebuilt: boolean,
): { args: unknown } | string {
  const before = named ?? {}
  const changed = Object.keys(members).filter(
    name => !Object.hasOwn(before, name) || !Object.is(before[name], members[name]),
  )
  if (args !== shown) {
    if (args === undefined || args === null) {
      const hadOthers = named === undefined && shown !== undefined && shown !== null
      return hadOthers ? 'args that are not named arguments were removed' : { args: members }
    }
    // Stryker disable next-line ConditionalExpression: another text refuses it, which names no args
    if (typeof args !== 'object') return `args are a ${typeof args}`
    if (changed.length === 0) return { args }
    return isRecord(args) ? { args: overlay(args, members, changed) } : NAMELESS
  }
  if (named === undefined) {
    if (changed.length === 0) return { args }
    return args === undefined || args === null ? { args: members } : NAMELESS
  }
  const shownNames = Object.keys(before).filter(name => name !== 'cmd' && name !== 'args')
  const removed = shownNames.filter(name => !Object.hasOwn(members, name))
  if (changed.length === 0 && removed.length === 0) return { args }
  if (isRebuilt && removed.length === shownNames.length && changed.length === 0) {
    return 'message was rebuilt with its args but without their members: give it new args, or the members'
  }
  const merged = overlay(args as object, members, changed)
  for (const name of removed) delete merged[name]
  return { args: merged }
}

const NAMELESS = 'message has changed members, but its args are not named arguments'

function overlay(args: object, members: Members, changed: readonly string[]): Members {
  const merged: Members = { ...args }
  for (const name of changed) merged[name] = members[name]
  return merged
}

export interface LegacyMessage {
  readonly shown: object
  readonly read: AnswerReader
}

/**
 * Shows `plugin:event|emit` and `plugin:event|emit_to` as `emit` (the latter with `target`), and all other commands as `invoke` of
 * the full command name. `callback`, `error` and `options` are shown unchanged.
 *
 * In `message`, the command's own `cmd` and `args` override arguments of these names: a frontend cannot disguise one command as
 * another. A malformed emit is shown as an invoke.
 *
 * The members that are read back are `message.cmd`, the arguments (see `mergeArgs`), `options`, and an event's name, payload and
 * target.
 */
function toLegacyMessage(message: HookMessage): LegacyMessage {
  const { cmd, payload } = message
  const isEmit = cmd === METHOD.emit || cmd === METHOD.emitTo
  return isEmit && isRecord(payload) && typeof payload['event'] === 'string'
    ? openEmit(message, payload)
    : openInvoke(message)
}

function openInvoke({ cmd, callback, error, payload, options }: HookMessage): LegacyMessage {
  const named = isRecord(payload) ? { ...payload } : undefined
  // Set before and again after the spread, which takes 30 ns; `{ ...named, cmd, args }` would take 850 ns.
  const message = { cmd, args: payload, ...named }
  message.cmd = cmd
  message.args = payload
  return {
    shown: { cmd: 'invoke', callback, error, message, options },
    read(rawAnswer) {
      const answer: { cmd?: unknown; message?: unknown; options?: PassedMessage['options'] } = rawAnswer
      if (answer.cmd !== 'invoke') return 'cmd is no longer "invoke"'
      const returned = answer.message
      if (!isRecord(returned)) return 'message is not an object'
      const { cmd: command, args, ...members } = returned
      const merged = mergeArgs(payload, named, args, members, returned !== message)
      if (typeof merged === 'string') return merged
      return { cmd: command as string, payload: merged.args, options: answer.options }
    },
  }
}

function openEmit({ cmd, callback, error, options }: HookMessage, args: Members): LegacyMessage {
  const { event, payload, target } = args
  const hasTarget = cmd === METHOD.emitTo
  return {
    shown: { cmd: 'emit', callback, error, event, payload, ...(hasTarget ? { target } : undefined), options },
    read(rawAnswer) {
      const answer = rawAnswer as Members
      if (answer['cmd'] !== 'emit') return 'cmd is no longer "emit"'
      const changed = { event: answer['event'], payload: answer['payload'], target: answer['target'] ?? target }
      if (typeof changed.event !== 'string') return 'event is not a string'
      if (!hasTarget && changed.target !== target) return 'a target was added to an event without one'
      const isUnchanged = changed.event === event && changed.payload === payload && changed.target === target
      const options = answer['options'] as PassedMessage['options']
      if (isUnchanged) return { cmd, payload: args, options }
      const { target: newTarget, ...rest } = changed
      return { cmd, payload: { ...args, ...rest, ...(hasTarget ? { target: newTarget } : undefined) }, options }
    },
  }
}

/** Returns true if a script reads messages in this format: without `legacyMessages: true` it would find nothing, and pass everything. */
export function mentionsLegacyMessages(source: string): boolean {
  return HINTS.some(hint => hint.test(source))
}

const HINTS = [
  // payload.message, payload?.message, payload['message']
  /\bpayload\s*(?:\?\.|\.)\s*message\b/,
  /\bpayload\s*(?:\?\.)?\s*\[\s*['"`]message['"`]\s*\]/,
  // const { message } = payload
  /\{[^{}]*\bmessage\b[^{}]*(?:\{[^{}]*\}[^{}]*)?\}\s*=\s*payload\b/,
  // window.__TAURI_ISOLATION_HOOK__ = ({ cmd, message }) => …
  /__TAURI_ISOLATION_HOOK__\s*(?:=\s*(?:async\b\s*)?(?:function\b\s*\w*\s*)?)?\(\s*\{[^)]*\bmessage\b/,
  // message.cmd === 'invoke', with any name of the parameter
  /\bcmd\s*\)?\s*={2,3}\s*['"`]invoke['"`]/,
]
