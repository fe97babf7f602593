// Why a value can't be sent. JSON.stringify says that there is a BigInt, and not where: it is looked for once it is known.
import { BusError, describeThrown, type BusErrorReason } from './error.js'

/** So many values are looked at. */
const MANY = 10_000

/** What was to be sent can't be: `what` names it, and `cause` was thrown as `value` was encoded. */
export const uncarriable = (what: string, reason: BusErrorReason, cause: unknown, value: unknown): BusError =>
  new BusError(reason, `${what} can’t be carried: ${whyUncarriable(cause, value)}`, { cause })

/** What was thrown, in better words where there are some. */
export function whyUncarriable(cause: unknown, value: unknown): string {
  const why = describeThrown(cause)
  const path = why.includes('BigInt') ? pathOfBigInt(value) : undefined
  if (path === undefined) return why
  return `${path || 'it'} is a BigInt, which JSON has no form for: give a string, or choose codec: 'msgpack'`
}

/** As it is written in JavaScript, `user.ids[0]`; `undefined` where none is found. */
function pathOfBigInt(value: unknown): string | undefined {
  const seen = new Set<unknown>()
  const search = (at: unknown, path: string): string | undefined => {
    if (typeof at === 'bigint') return path
    if (typeof at !== 'object' || at === null || seen.has(at) || seen.size > MANY) return undefined
    seen.add(at)
    for (const [key, member] of Object.entries(at)) {
      const step = Array.isArray(at) ? `[${key}]` : path === '' ? key : `.${key}`
      const found = search(member, path + step)
      if (found !== undefined) return found
    }
    return undefined
  }
  try {
    return search(value, '')
  } catch {
    // A getter that throws, or a depth that no stack has room for.
    return undefined
  }
}
