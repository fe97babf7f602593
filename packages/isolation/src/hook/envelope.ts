// The message in the shape of older examples, `{ cmd: 'invoke', message: { cmd, args, ...args } }` for commands and
// `{ cmd: 'emit', event, payload }` for events, so that such hooks run as they are; and what they change, mapped back.
import { METHOD } from '@sallyport/protocol'
import type { HookMessage, PassedMessage } from './types.js'

// The arguments of an enveloped command stand there twice: in `message.args`, and spread beside it. A hook may change
// either; this file says what it then meant, and refuses where that can't be told.

type Members = Record<string, unknown>

const isRecord = (value: unknown): value is Members => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)
}

const copyRecord = (record: Members): Members => ({ ...record })

/** What the hook was shown: `before` is a copy of `args`, where these are named arguments. */
interface Shown {
  readonly args: unknown
  readonly before: Members | undefined
}

/** What it gave back: `args`, and the other members of `message`. `rebuilt`: `message` is another object. */
interface Returned {
  readonly args: unknown
  readonly members: Members
  readonly rebuilt: boolean
}

/**
 * The arguments that a changed message stands for, or a text that says what is wrong with it.
 *
 * - `args` as they were given (their own members may have changed): members beside them that were changed, added or
 *   removed are changed, added or removed in the arguments.
 * - New `args`: they count, and over them the members that were changed or added.
 * - No `args`: the members are the arguments.
 * - The given `args` in a rebuilt message without any of their members could mean "as they were" as well as "without
 *   them": refused.
 *
 * Unchanged arguments are given back as the same object.
 */
function mergeArgs(shown: Shown, { args, members, rebuilt }: Returned): { args: unknown } | string {
  const before = shown.before ?? {}
  const changed = Object.keys(members).filter(
    name => !Object.hasOwn(before, name) || !Object.is(before[name], members[name]),
  )
  if (args !== shown.args) {
    if (args === undefined || args === null) return withoutArgs(shown, members)
    if (typeof args !== 'object') return `args are a ${typeof args}`
    if (changed.length === 0) return { args }
    return isRecord(args) ? { args: overlay(args, members, changed) } : NAMELESS
  }
  if (shown.before === undefined) {
    if (changed.length === 0) return { args }
    return args === undefined || args === null ? { args: members } : NAMELESS
  }
  const spread = Object.keys(before).filter(name => name !== 'cmd' && name !== 'args')
  const removed = spread.filter(name => !Object.hasOwn(members, name))
  if (changed.length === 0 && removed.length === 0) return { args }
  if (rebuilt && removed.length === spread.length && changed.length === 0) {
    return 'message was rebuilt with its args but without their members: give it new args, or the members'
  }
  const merged = overlay(args as object, members, changed)
  for (const name of removed) delete merged[name]
  return { args: merged }
}

const NAMELESS = 'message has changed members beside args that have no names'

function withoutArgs(shown: Shown, members: Members): { args: unknown } | string {
  return shown.before === undefined && shown.args !== undefined && shown.args !== null
    ? 'args that have no names were taken away'
    : { args: members }
}

function overlay(args: object, members: Members, changed: readonly string[]): Members {
  const merged: Members = { ...args }
  for (const name of changed) merged[name] = members[name]
  return merged
}

/** One message, opened for a hook. */
export interface Envelope {
  /** What the hook is called with. */
  readonly shown: object
  /** The message that its answer stands for, or what is wrong with it. May throw what the answer's getters throw. */
  read(result: object): Partial<PassedMessage> | string
}

/**
 * Shows `plugin:event|emit` and `plugin:event|emit_to` as `emit` (with `target` for the latter), all else as `invoke` of
 * the full command name (`plugin:event|listen` too). In both, `callback`, `error` and `options` are as ever.
 *
 * In `message`, the command's own `cmd` and `args` win over arguments that have these names: a frontend can't dress
 * one command up as another. An emit that is not well-formed is shown as the invoke that it is.
 *
 * Read back: `message.cmd`, the arguments (see `mergeArgs`), the event's name, payload and target, `options`.
 */
export function openEnvelope(message: HookMessage): Envelope {
  const { cmd, payload } = message
  const isEmit = cmd === METHOD.emit || cmd === METHOD.emitTo
  return isEmit && isRecord(payload) && typeof payload['event'] === 'string'
    ? openEmit(message, payload)
    : openInvoke(message)
}

function openInvoke({ cmd, callback, error, payload, options }: HookMessage): Envelope {
  const before = isRecord(payload) ? copyRecord(payload) : undefined
  // Names first and set again after the spread: the order that costs 30 ns, where `{ ...before, cmd, args }` costs 850.
  const message = { cmd, args: payload, ...before }
  message.cmd = cmd
  message.args = payload
  return {
    shown: { cmd: 'invoke', callback, error, message, options },
    read(result) {
      const answer = result as { cmd?: unknown; message?: unknown; options?: PassedMessage['options'] }
      if (answer.cmd !== 'invoke') return 'cmd is no longer "invoke"'
      const returned = answer.message
      if (!isRecord(returned)) return 'message is not an object'
      const { cmd: command, args, ...members } = returned
      const merged = mergeArgs({ args: payload, before }, { args, members, rebuilt: returned !== message })
      if (typeof merged === 'string') return merged
      return { cmd: command as string, payload: merged.args, options: answer.options }
    },
  }
}

function openEmit({ cmd, callback, error, payload, options }: HookMessage, given: Record<string, unknown>): Envelope {
  const { event, payload: inner, target } = given
  const addressed = cmd === METHOD.emitTo
  return {
    shown: { cmd: 'emit', callback, error, event, payload: inner, ...(addressed ? { target } : undefined), options },
    read(result) {
      const answer = result as Record<string, unknown>
      if (answer['cmd'] !== 'emit') return 'cmd is no longer "emit"'
      const changed = { event: answer['event'], payload: answer['payload'], target: answer['target'] ?? target }
      if (typeof changed.event !== 'string') return 'event is not a string'
      if (!addressed && changed.target !== target) return 'an event that had no target was given one'
      const same = changed.event === event && changed.payload === inner && changed.target === target
      const options = answer['options'] as PassedMessage['options']
      if (same) return { cmd, payload, options }
      const { target: to, ...rest } = changed
      return { cmd, payload: { ...given, ...rest, ...(addressed ? { target: to } : undefined) }, options }
    },
  }
}

/** True if a script reads messages in this shape: without `envelope: true` it would find nothing, and pass everything. */
export function mentionsEnvelope(source: string): boolean {
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
  // message.cmd === 'invoke', whatever the parameter's name
  /\bcmd\s*\)?\s*={2,3}\s*['"`]invoke['"`]/,
]
