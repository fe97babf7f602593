// Tauri's managed state: values that core keeps for its handlers, by typed keys. A key is a class, or made by
// `stateKey` for a value without one. Keys are compared by identity, never by name.
import { BusError } from '@sallyport/protocol/internal/errors'

declare const VALUE: unique symbol

/** A key of managed state: the value's class, or a key of `stateKey`, whose `name` is for error texts. */
export type StateKey<T> =
  | (abstract new (...args: never[]) => T)
  // The last member is for the type checker only: keys of different types are not interchangeable.
  | { readonly kind: 'state'; readonly name: string; readonly [VALUE]?: (value: T) => T }

/**
 * Creates a key for state without a class of its own. A module shares its state by exporting the key.
 *
 * @param name for error texts
 * @example
 * const SETTINGS = stateKey<{ theme: string }>('settings')
 * app.manage(SETTINGS, { theme: 'dark' }) // ctx.state(SETTINGS).theme
 */
export function stateKey<T>(name: string): StateKey<T> {
  if (typeof name !== 'string' || name === '') throw new BusError('InvalidParams', 'stateKey() takes a name')
  return Object.freeze({ kind: 'state', name })
}

export class StateStore {
  readonly #values = new Map<object, unknown>()

  /** Returns false if the key is managed already: the first value stays, as in Tauri. */
  manage<T>(key: StateKey<T>, value: T): boolean {
    if (typeof key !== 'function' && (key as { kind?: unknown } | null | undefined)?.kind !== 'state') {
      throw new BusError('InvalidParams', 'app.manage() takes a key and a value: app.manage(Counter, new Counter())')
    }
    if (this.#values.has(key)) return false
    this.#values.set(key, value)
    return true
  }

  /** @throws {BusError} InternalError, with Tauri's text, if nothing is managed by this key */
  get<T>(key: StateKey<T>): T {
    if (this.#values.has(key)) return this.#values.get(key) as T
    const name = String((key as { name?: unknown } | undefined)?.name ?? key)
    const text = `state not managed for \`${name}\`. You must call \`.manage()\` before using this command`
    throw new BusError('InternalError', text)
  }
}
