// Who has asked for a worker to be loaded again waits here until it is ready, or can't be.
import { BusError } from '@sallyport/protocol'
import type { ThreadSnapshot } from './thread-machine.js'

export const notReady = (): BusError => new BusError('Disconnected', 'The worker was stopped before it was ready')

export class Reloads {
  readonly #waiting: { resolve(): void; reject(error: Error): void }[] = []

  /** @param snapshot of the worker, once it was told */
  wait(snapshot: ThreadSnapshot): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.settle(snapshot)
    })
  }

  settle(snapshot: ThreadSnapshot): void {
    const isReady = snapshot.matches({ alive: 'running' })
    if (snapshot.matches('alive') && !isReady) return
    const error = snapshot.context.error ?? notReady()
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (isReady) resolve()
      else reject(error)
    }
  }
}
