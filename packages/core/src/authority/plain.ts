// Capabilities and permission files hold what JSON carries, wherever they are written. Else a value would be another one after
// its way to core (a URL becomes `{}`), and a handler could change a Date or a Map for the next one, frozen or not.
import type { AclSource } from './acl.js'
import { mistake, type Place } from './check.js'

/** Far more than any file has; as in Tauri. */
const MAX_DEPTH = 128

/** @throws BusError `InvalidParams`, with the place of what is no such value */
export function checkPlain(source: AclSource & Place): void {
  const stray = strayIn(source.value, '', [])
  if (stray) throw mistake(source, stray.at, `must be a value that JSON carries: got ${stray.what}`)
}

interface Stray {
  at: string
  what: string
}

/** @param within the lists and objects that hold the value, outermost first */
function strayIn(value: unknown, at: string, within: readonly object[]): Stray | undefined {
  if (value === null || ['string', 'boolean', 'undefined'].includes(typeof value)) return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : { at, what: String(value) }
  if (typeof value !== 'object') return { at, what: typeof value }
  if (within.includes(value)) return { at, what: 'an object that holds itself' }
  if (within.length === MAX_DEPTH) return { at, what: `more than ${MAX_DEPTH} levels` }
  const inside = [...within, value]
  if (Array.isArray(value)) {
    return first(value.keys(), index => {
      const place = `${at}[${index}]`
      return value[index] === undefined ? { at: place, what: 'undefined' } : strayIn(value[index], place, inside)
    })
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  // Of whatever realm.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return { at, what: value.constructor.name }
  return first(Object.entries(value), ([name, member]) =>
    name === '__proto__'
      ? { at, what: 'a key named "__proto__"' }
      : strayIn(member, at === '' ? name : `${at}.${name}`, inside),
  )
}

function first<T>(values: Iterable<T>, find: (value: T) => Stray | undefined): Stray | undefined {
  for (const value of values) {
    const found = find(value)
    if (found) return found
  }
  return undefined
}
