// Resources: objects that handlers keep open between calls, and that frontends name by number (Tauri's `rid`). Each frontend has a
// table of its own, so that a number of another frontend is invalid. The table is closed when the frontend disconnects.
import { BusError } from '@sallyport/protocol/internal/errors'
import { MAX_RESOURCES } from '@sallyport/protocol/internal/wire'
import { within } from '@sallyport/protocol/internal/contract'
import { createDeferred, isThenable } from '@sallyport/protocol/internal/util'

/** Objects that stay open between calls, by number. */
export interface Resources {
  /**
   * Keeps `resource` open and returns its number, a random integer of 32 bits. When the resource is closed, its `close()` is
   * called, or else its `Symbol.asyncDispose` or `Symbol.dispose`.
   *
   * @throws {BusError} Overloaded above 16 384 resources of a frontend; Disconnected if the frontend has disconnected: the
   * resource is then closed
   */
  add(resource: object): number
  /** Returns a resource, which must be of the class `type`. @throws {BusError} InvalidParams, `The resource id N is invalid.`, if there is no such resource of this class */
  get<T extends object = object>(rid: number, type?: abstract new (...args: never[]) => T): T
  /** Removes the resource without closing it. @throws like `get` */
  take<T extends object = object>(rid: number, type?: abstract new (...args: never[]) => T): T
  /** Removes and closes the resource. Rejects with the error of its `close`. @throws like `get`, synchronously */
  close(rid: number): Promise<void>
  /** True if a resource has this number. */
  has(rid: number): boolean
}

export class ResourceTable implements Resources {
  readonly #open = new Map<number, object>()
  readonly #onError: (error: unknown) => void
  readonly #label: string | undefined
  readonly #getTotal: () => number
  #closed = false

  /**
   * @param onError - receives errors that occur while the whole table is closed
   * @param label - the frontend's; `undefined` for the app's table, which has no limit
   * @param getTotal - returns the size of this table, with those of other frontends that share the limit
   */
  constructor(onError: (error: unknown) => void, label?: string, getTotal: () => number = () => this.size) {
    this.#onError = onError
    this.#label = label
    this.#getTotal = getTotal
  }

  get size(): number {
    return this.#open.size
  }

  add(resource: object): number {
    if (typeof resource !== 'object' || resource === null) {
      throw new BusError('InvalidParams', 'resources.add() takes an object')
    }
    if (this.#closed) {
      void runSequentially([() => closeResource(resource)], AbortSignal.abort(), this.#onError)
      throw new BusError('Disconnected', 'The frontend disconnected; the resource was closed')
    }
    if (this.#label !== undefined && this.#getTotal() >= MAX_RESOURCES) {
      throw new BusError('Overloaded', `More than ${MAX_RESOURCES} resources of one frontend are open`)
    }
    // Loaded with the first resource: the module takes milliseconds of each core's start.
    const { randomInt } = process.getBuiltinModule('node:crypto')
    let rid: number
    do rid = randomInt(2 ** 32)
    while (this.#open.has(rid))
    this.#open.set(rid, resource)
    return rid
  }

  get<T extends object = object>(rid: number, type?: abstract new (...args: never[]) => T): T {
    const resource = this.#open.get(rid)
    if (resource !== undefined && (!type || resource instanceof type)) return resource as T
    // Tauri's text.
    throw new BusError('InvalidParams', `The resource id ${String(rid).slice(0, 20)} is invalid.`)
  }

  take<T extends object = object>(rid: number, type?: abstract new (...args: never[]) => T): T {
    const resource = this.get(rid, type)
    this.#open.delete(rid)
    return resource
  }

  close(rid: number): Promise<void> {
    // Thrown, not rejected: frontends choose the number, and a rejection that a handler does not await would end core.
    const resource = this.take(rid)
    return new Promise(resolve => resolve(closeResource(resource) as void))
  }

  has(rid: number): boolean {
    return this.#open.has(rid)
  }

  /** Closes all resources, the last opened first, and accepts no more. Resolves when they are closed or `signal` aborts; never rejects. */
  async closeAll(signal: AbortSignal): Promise<void> {
    this.#closed = true
    const steps = [...this.#open.values()].reverse().map(resource => () => closeResource(resource))
    this.#open.clear()
    await runSequentially(steps, signal, this.#onError)
  }
}

function closeResource(resource: object): unknown {
  for (const name of ['close', Symbol.asyncDispose, Symbol.dispose]) {
    const close = (resource as Record<PropertyKey, unknown>)[name]
    if (typeof close === 'function') return close.call(resource)
  }
  return undefined
}

const STEP_TIMEOUT_MS = 5000
/** Time for all steps that start after the signal has aborted. */
const ABORTED_TIMEOUT_MS = 50

/**
 * Runs the steps in order, each for at most 5 s. When `signal` aborts, the current step is no longer waited for, and the remaining
 * steps start at once. Never rejects.
 *
 * @param onError - receives what a step throws
 */
export async function runSequentially(
  steps: Iterable<() => unknown>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  const aborted = createDeferred()
  const onAbort = (): void => aborted.resolve()
  signal.addEventListener('abort', onAbort)
  const rest: Promise<unknown>[] = []
  for (const step of steps) {
    let result: unknown
    try {
      result = step()
    } catch (error) {
      onError(error)
    }
    if (!isThenable(result)) continue
    const done = Promise.resolve(result).catch(onError)
    if (signal.aborted) rest.push(done)
    else await within(STEP_TIMEOUT_MS, Promise.race([done, aborted.promise]))
  }
  signal.removeEventListener('abort', onAbort)
  if (rest.length > 0) await within(ABORTED_TIMEOUT_MS, Promise.all(rest))
}
