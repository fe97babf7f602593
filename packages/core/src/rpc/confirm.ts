// Requests of `ctx.confirm`, which the host answers, perhaps by asking a person. A request stays open until the host answers,
// even if its call is cancelled: otherwise a flood of cancelled calls could open any number of requests.
import { toConfirmText } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { MAX_CONFIRM_REQUESTS } from '@sallyport/protocol/internal/wire'
import type { CoreReport } from '../contract/host-core.js'

export type ConfirmCaller = { label: string; command: string; signal: AbortSignal }

export class ConfirmRequests {
  readonly #report: (report: CoreReport) => void
  readonly #pending = new Map<number, { limitLabel: string; settle: (isConfirmed: boolean) => void }>()
  #lastId = 0

  constructor(report: (report: CoreReport) => void) {
    this.#report = report
  }

  /**
   * @param session - open requests count for its `limitLabel`
   * @throws {BusError} `Overloaded` if too many requests are open; the signal's reason once it aborts
   */
  async confirm(
    text: unknown,
    { label, command, signal }: ConfirmCaller,
    { frontend, limitLabel = label }: { frontend?: number | undefined; limitLabel?: string | undefined },
  ): Promise<boolean> {
    signal.throwIfAborted()
    const open = [...this.#pending.values()].filter(request => request.limitLabel === limitLabel)
    if (open.length >= MAX_CONFIRM_REQUESTS) {
      throw new BusError('Overloaded', `${MAX_CONFIRM_REQUESTS} confirm requests of one frontend are already open`)
    }
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const withdraw = (): void => {
        this.#report({ type: 'withdraw', id })
        reject(signal.reason as BusError)
      }
      const settle = (isConfirmed: boolean): void => {
        signal.removeEventListener('abort', withdraw)
        resolve(isConfirmed)
      }
      this.#pending.set(id, { limitLabel, settle })
      signal.addEventListener('abort', withdraw, { once: true })
      this.#report({ type: 'confirm', id, frontend, label, command, text: toConfirmText(text) })
    })
  }

  /** Settles the request that the host has answered. The answer to a withdrawn request is dropped. */
  answer(id: number, isConfirmed: boolean): void {
    const request = this.#pending.get(id)
    this.#pending.delete(id)
    request?.settle(isConfirmed)
  }
}
