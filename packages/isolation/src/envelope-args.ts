// The arguments of an enveloped command stand there twice: in `message.args`, and spread beside it. A hook may change
// either; this file says what it then meant, and refuses where that can't be told.

type Members = Record<string, unknown>

export const isRecord = (value: unknown): value is Members => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)
}

export const copyRecord = (record: Members): Members => ({ ...record })

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
export function mergeArgs(shown: Shown, { args, members, rebuilt }: Returned): { args: unknown } | string {
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
