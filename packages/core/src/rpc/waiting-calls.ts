// Calls of one command and frontend that wait until their quota allows them, in order. A call that its caller abandons leaves.
import { later } from '@sallyport/protocol/internal/contract'
import type { BusError } from '@sallyport/protocol/internal/errors'

/** Calls that can wait at a time, for each frontend and command. */
export const MAX_WAITING = 1000

/** The longest delay of a timer. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** Why a call cannot begin now. */
export interface Obstacle {
  /** A clause of the error text. */
  text: string
  /** What the quota allows, for the log: `2/s`. */
  quota: string
  /** False if no call waits for its end. */
  waits: boolean
  /** Milliseconds until it ends; `undefined` if that is when another call ends. */
  retryAfter?: number
}

interface WaitingCall {
  start(): void
  reject(error: unknown): void
}

export class WaitingCalls {
  readonly #getObstacle: () => Obstacle | undefined
  readonly #toError: (obstacle: Obstacle) => BusError
  readonly #calls = new Set<WaitingCall>()
  #endWait: (() => void) | undefined
  /** True while calls are started: one that ends at once must not start the next within itself. */
  #isStarting = false

  constructor(getObstacle: () => Obstacle | undefined, toError: (obstacle: Obstacle) => BusError) {
    this.#getObstacle = getObstacle
    this.#toError = toError
  }

  get isEmpty(): boolean {
    return this.#calls.size === 0
  }

  get isFull(): boolean {
    return this.#calls.size >= MAX_WAITING
  }

  /** Resolves with the result of `begin`. Rejects if the signal aborts first, or if the quota never allows the call. */
  add(signal: AbortSignal, begin: () => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#calls.delete(call)
        signal.removeEventListener('abort', onAbort)
      }
      const onAbort = (): void => {
        leave()
        reject(signal.reason as BusError)
      }
      const call: WaitingCall = {
        start() {
          leave()
          try {
            resolve(begin())
          } catch (error) {
            reject(error as Error)
          }
        },
        reject(error) {
          leave()
          reject(error as BusError)
        },
      }
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort)
      this.#calls.add(call)
      this.startNext()
    })
  }

  /** Starts the calls that the quota allows now. */
  startNext(): void {
    if (this.#isStarting) return
    this.#isStarting = true
    this.#endWait?.()
    for (const call of this.#calls) {
      const obstacle = this.#getObstacle()
      if (!obstacle) call.start()
      else if (!obstacle.waits) call.reject(this.#toError(obstacle))
      else {
        // The session's link keeps core alive.
        const delay = obstacle.retryAfter && Math.min(obstacle.retryAfter, MAX_DELAY_MS)
        if (delay) this.#endWait = later(delay, () => this.startNext())
        break
      }
    }
    this.#isStarting = false
  }
}
