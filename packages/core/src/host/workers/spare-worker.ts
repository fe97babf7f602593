// A worker that is spawned before it is known who needs it: it loads its code meanwhile, and gets its data as its first message.
import type { Worker } from 'node:worker_threads'
import { withoutContext } from '@sallyport/protocol/internal/util'

/** It does not keep the process alive until it is taken. */
export class SpareWorker {
  #worker: Worker | undefined

  /** @param spawn - if it throws, there is no spare: the next attempt has the same error, and reports it */
  constructor(spawn: () => Worker) {
    try {
      this.#worker = withoutContext(spawn)
    } catch {
      return
    }
    this.#worker.unref()
    this.#worker.on('error', this.#forget)
    this.#worker.on('exit', this.#forget)
  }

  /** Returns the worker once, if it still runs. */
  take(): Worker | undefined {
    const worker = this.#worker
    if (!worker) return undefined
    this.#forget()
    worker.off('error', this.#forget)
    worker.off('exit', this.#forget)
    worker.ref()
    return worker
  }

  /** Terminates the worker unless it was taken. */
  discard(): void {
    void this.take()?.terminate()
  }

  readonly #forget = (): void => void (this.#worker = undefined)
}
