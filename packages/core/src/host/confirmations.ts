// The host's half of `ctx.confirm`. What a core asked that has ended meanwhile is withdrawn, and its answer goes to nobody: the
// next core counts its questions from 1 again.
import type { CoreReport } from '../control.js'
import { agrees, type OnConfirm } from './confirm.js'
import type { Logger } from './log.js'

type Question = Extract<CoreReport, { type: 'confirm' }>

export class Confirmations {
  readonly #onConfirm: OnConfirm | undefined
  readonly #log: Logger
  #open = new Map<number, AbortController>()
  #warned = false

  constructor(onConfirm: OnConfirm | undefined, log: Logger) {
    this.#onConfirm = onConfirm
    this.#log = log
  }

  ask({ id, text, label, command }: Question, answer: (agreed: boolean) => void): void {
    if (!this.#onConfirm) {
      if (!this.#warned)
        this.#log.warn({ label, command }, 'A command asks, and createBus has no onConfirm: the answer is no')
      this.#warned = true
      return answer(false)
    }
    const open = this.#open
    const controller = new AbortController()
    open.set(id, controller)
    const { signal } = controller
    void agrees(this.#onConfirm, text, { label, command, signal }, this.#log).then(agreed => {
      open.delete(id)
      if (this.#open === open) answer(agreed)
    })
  }

  /** Its call was given up. It stays open until it is answered: only then may its frontend's commands ask one more. */
  withdraw(id: number): void {
    this.#open.get(id)?.abort()
  }

  /** Core has ended. */
  reset(): void {
    const open = this.#open
    this.#open = new Map()
    for (const controller of open.values()) controller.abort()
  }
}
