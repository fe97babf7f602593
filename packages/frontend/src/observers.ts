// Who observes a remote actor. Of the snapshots that came in one turn they are told the last: a thread that was blocked finds
// many of them at once.
import { throwLater } from './events.js'

export interface Observer<Snapshot> {
  next?: ((snapshot: Snapshot) => void) | undefined
  error?: ((error: unknown) => void) | undefined
  complete?: (() => void) | undefined
}

export class Observers<Snapshot> {
  /** Each in a box of its own: the same one may be there twice. */
  readonly #all = new Set<{ observer: Observer<Snapshot> }>()
  #newest: { snapshot: Snapshot } | undefined
  #end: { error: unknown } | undefined

  /** Who comes when it is over is told so at once. */
  add(observer: Observer<Snapshot>): { unsubscribe(): void } {
    const box = { observer }
    if (this.#end) finish(observer, this.#end.error)
    else this.#all.add(box)
    return { unsubscribe: () => void this.#all.delete(box) }
  }

  next(snapshot: Snapshot): void {
    if (this.#newest === undefined) setImmediate(() => this.#tell())
    this.#newest = { snapshot }
  }

  /** @param error `undefined`: it has come to its end */
  end(error: unknown): void {
    this.#tell()
    this.#end = { error }
    const all = [...this.#all]
    this.#all.clear()
    for (const { observer } of all) finish(observer, error)
  }

  #tell(): void {
    const newest = this.#newest
    this.#newest = undefined
    if (newest === undefined) return
    // One that was taken away by another is told no more.
    for (const box of [...this.#all]) if (this.#all.has(box)) guarded(() => box.observer.next?.(newest.snapshot))
  }
}

const finish = <Snapshot>(observer: Observer<Snapshot>, error: unknown): void =>
  guarded(() => (error === undefined ? observer.complete?.() : observer.error?.(error)))

/** One that throws stops no other: its error is the thread's. */
function guarded(tell: () => void): void {
  try {
    tell()
  } catch (error) {
    throwLater(error)
  }
}
