// Resources: what handlers keep open between calls, and frontends name by number (Tauri's `rid`). Each frontend has a table of
// its own, so that no number of another's means anything to it; what it leaves open is closed when it goes.
import { randomInt } from 'node:crypto'
import { BusError, MAX_RESOURCES } from '@sallyport/protocol'
import { runSequentially } from '../shared/teardown.js'

/** A class, where `get` and `take` are to give nothing else. */
export type ResourceType<T extends object> = abstract new (...args: never[]) => T

export interface Resources {
  /**
   * Keeps `resource` open, and gives its number: random, of 32 bits. Its `close()` is called in the end, or else its
   * `Symbol.asyncDispose` or `Symbol.dispose`, where it has one.
   *
   * @throws BusError `Overloaded` beyond 16 384 of a frontend. `Disconnected` where the frontend has gone meanwhile: the
   * resource is closed then.
   */
  add(resource: object): number
  /** @throws BusError `InvalidParams`, `The resource id N is invalid.`, for a number of none, or of none of this class */
  get<T extends object = object>(rid: number, type?: ResourceType<T>): T
  /** Takes it out of the table, without closing it. @throws what `get` throws */
  take<T extends object = object>(rid: number, type?: ResourceType<T>): T
  /** Takes it out and closes it. Rejects with what its closing throws. @throws what `get` throws, at once */
  close(rid: number): Promise<void>
  has(rid: number): boolean
}

interface TableOptions {
  /** Of the frontend that it belongs to; none for that of the app, which is not bounded. */
  label?: string | undefined
  /** Told what goes wrong while the whole table is closed. */
  failed(error: unknown): void
}

export class ResourceTable implements Resources {
  readonly #open = new Map<number, object>()
  readonly #label: string | undefined
  readonly #failed: (error: unknown) => void
  #closed = false

  constructor({ label, failed }: TableOptions) {
    this.#label = label
    this.#failed = failed
  }

  add(resource: object): number {
    if (typeof resource !== 'object' || resource === null) {
      throw new BusError('InvalidParams', 'resources.add() takes an object')
    }
    if (this.#closed) {
      void runSequentially([() => closeResource(resource)], AbortSignal.abort(), this.#failed)
      throw new BusError('Disconnected', 'Whoever the resource was opened for is gone: it is closed')
    }
    if (this.#label !== undefined && this.#open.size >= MAX_RESOURCES) {
      throw new BusError('Overloaded', `More than ${MAX_RESOURCES} resources of one frontend are open`)
    }
    let rid: number
    do rid = randomInt(2 ** 32)
    while (this.#open.has(rid))
    this.#open.set(rid, resource)
    return rid
  }

  get<T extends object = object>(rid: number, type?: ResourceType<T>): T {
    const resource = this.#open.get(rid)
    if (resource === undefined || (type && !(resource instanceof type))) throw invalidResource(rid)
    return resource as T
  }

  take<T extends object = object>(rid: number, type?: ResourceType<T>): T {
    const resource = this.get(rid, type)
    this.#open.delete(rid)
    return resource
  }

  close(rid: number): Promise<void> {
    // Not as a rejection: frontends choose the number, and one that a handler does not await would end core.
    const resource = this.take(rid)
    return new Promise(resolve => resolve(closeResource(resource) as void))
  }

  has(rid: number): boolean {
    return this.#open.has(rid)
  }

  /** Closes all, the last opened first, and takes no more. Resolves when they are closed, or `hurry` aborts; never rejects. */
  async closeAll(hurry: AbortSignal): Promise<void> {
    this.#closed = true
    const last = [...this.#open.values()].reverse()
    this.#open.clear()
    await runSequentially(
      last.map(resource => () => closeResource(resource)),
      hurry,
      this.#failed,
    )
  }
}

/** Tauri's text. */
function invalidResource(rid: unknown): BusError {
  return new BusError('InvalidParams', `The resource id ${String(rid).slice(0, 20)} is invalid.`)
}

interface Closable {
  close?: unknown
  [Symbol.asyncDispose]?: unknown
  [Symbol.dispose]?: unknown
}

function closeResource(resource: Closable): unknown {
  for (const name of ['close', Symbol.asyncDispose, Symbol.dispose] as const) {
    const close = resource[name]
    if (typeof close === 'function') return close.call(resource)
  }
  return undefined
}
