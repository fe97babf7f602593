// What core's program keeps for its handlers, by typed keys: Tauri's managed state. A key is a class, or is made by
// `stateKey` where the value has none; two keys are never the same by their names alone.
import { BusError } from '@sallyport/protocol'

declare const VALUE: unique symbol

/** A key that `stateKey` has made, for a value of type `T`. */
export interface NamedStateKey<T> {
  readonly kind: 'state'
  readonly name: string
  /** In types alone: a key of one type is none of another. */
  readonly [VALUE]?: (value: T) => T
}

/** What state is managed and read by: the value's class, or a key of `stateKey`. */
export type StateKey<T> = (abstract new (...args: never[]) => T) | NamedStateKey<T>

/**
 * A key for state that has no class of its own. It is known by its identity: a module that exports its key shares its state,
 * and one that does not keeps it.
 *
 * @param name for error texts
 * @example
 * const SETTINGS = stateKey<{ theme: string }>('settings')
 * app.manage(SETTINGS, { theme: 'dark' }) // ctx.state(SETTINGS).theme
 */
export function stateKey<T>(name: string): NamedStateKey<T> {
  if (typeof name !== 'string' || name === '') throw new BusError('InvalidParams', 'stateKey() takes a name')
  return Object.freeze({ kind: 'state', name })
}

export class StateStore {
  readonly #values = new Map<object, unknown>()

  /**
   * False where the key is managed already: the old value stays, as in Tauri.
   *
   * @throws BusError `InvalidParams` for what is no key
   */
  manage<T>(key: StateKey<T>, value: T): boolean {
    if (typeof key !== 'function' && (key as NamedStateKey<T> | null | undefined)?.kind !== 'state') {
      throw new BusError('InvalidParams', 'app.manage() takes a key and a value: app.manage(Counter, new Counter())')
    }
    if (this.#values.has(key)) return false
    this.#values.set(key, value)
    return true
  }

  /** @throws BusError `InternalError`, with Tauri's text, where nothing is managed by this key */
  get<T>(key: StateKey<T>): T {
    if (this.#values.has(key)) return this.#values.get(key) as T
    const name = String((key as { name?: unknown } | undefined)?.name ?? key)
    throw new BusError(
      'InternalError',
      `state not managed for \`${name}\`. You must call \`.manage()\` before using this command`,
    )
  }
}
