// `ctx.confirm`: what commands ask the host, and a person at last. A question stays open until the host has answered it, even if
// its call was given up: so many may be open for one frontend, and a flood of calls opens no more.
import { BusError, toConfirmText } from '@sallyport/protocol'
import type { CoreReport } from '../contract/control.js'

/** Of one frontend. */
const MAX_CONFIRM_REQUESTS = 16

export interface ConfirmCaller {
  label: string
  command: string
  signal: AbortSignal
}

interface PendingConfirm {
  readonly label: string
  settle(agreed: boolean): void
}

export class ConfirmRequests {
  readonly #tell: (report: CoreReport) => void
  readonly #open = new Map<number, PendingConfirm>()
  readonly #counts = new Map<string, number>()
  #lastId = 0

  constructor(tell: (report: CoreReport) => void) {
    this.#tell = tell
  }

  /** @throws BusError `Overloaded` beyond the bound; why the signal has aborted */
  async ask(text: unknown, { label, command, signal }: ConfirmCaller): Promise<boolean> {
    signal.throwIfAborted()
    const count = this.#counts.get(label) ?? 0
    if (count >= MAX_CONFIRM_REQUESTS) {
      throw new BusError('Overloaded', `${MAX_CONFIRM_REQUESTS} questions of one frontend wait for an answer already`)
    }
    const id = ++this.#lastId
    this.#counts.set(label, count + 1)
    return new Promise((resolve, reject) => {
      const withdraw = (): void => {
        this.#tell({ type: 'withdraw', id })
        reject(signal.reason as BusError)
      }
      const settle = (agreed: boolean): void => {
        signal.removeEventListener('abort', withdraw)
        resolve(agreed)
      }
      this.#open.set(id, { label, settle })
      signal.addEventListener('abort', withdraw, { once: true })
      this.#tell({ type: 'confirm', id, label, command, text: toConfirmText(text) })
    })
  }

  /** Of one that was withdrawn nobody hears. */
  answer(id: number, agreed: boolean): void {
    const question = this.#open.get(id)
    if (!question) return
    this.#open.delete(id)
    const left = this.#counts.get(question.label)! - 1
    if (left > 0) this.#counts.set(question.label, left)
    else this.#counts.delete(question.label)
    question.settle(agreed)
  }
}
