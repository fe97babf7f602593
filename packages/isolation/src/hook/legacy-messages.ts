// Shows messages in the format of older examples, so that their hooks run unchanged: `{ cmd: 'invoke', message: { cmd, args, ...args } }`
// for commands, and `{ cmd: 'emit', event, payload }` for events. Maps the hook's changes back to the message.
import { METHOD } from '@sallyport/protocol/internal/message'
import type { AnswerReader, HookMessage, PassedMessage } from './verdict.js'

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
export function toLegacyMessage(message: HookMessage): LegacyMessage {
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
      const answer = rawAnswer as { cmd?: unknown; message?: unknown; options?: PassedMessage['options'] }
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
