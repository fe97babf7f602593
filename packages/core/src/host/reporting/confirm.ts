// What asks the person at the host: `onConfirm`, for `confirm(text)` in an isolation hook and `ctx.confirm(text)` in a command.
// A gate's thread sleeps until it is answered, as a page does while its dialog is open.
import type { MessagePort } from 'node:worker_threads'
import { CONFIRM_WORD, type ConfirmRequest } from '@sallyport/protocol'
import type { CoreReport } from '../../contract/control.js'
import type { Logger } from './log.js'

/** Who asks. */
export interface ConfirmFrom {
  /** The frontend whose message or call it is about. */
  label: string
  /** The command that asks; a hook has none. */
  command?: string
  /** Of a command: aborts where its call was given up, or core has ended. Nobody waits for the answer then. */
  signal?: AbortSignal
}

export type OnConfirm = (text: string, from: ConfirmFrom) => boolean | Promise<boolean>

/** Whatever is not `true` is a no. */
export async function agrees(onConfirm: OnConfirm, text: string, from: ConfirmFrom, log: Logger): Promise<boolean> {
  try {
    return (await onConfirm(text, from)) === true
  } catch (error) {
    const { label, command } = from
    log.error({ label, command, err: error }, 'onConfirm has failed: the answer is no')
    return false
  }
}

export function answerConfirm(
  port: MessagePort,
  shared: SharedArrayBuffer,
  agree: (text: string) => Promise<boolean>,
): void {
  const answer = new Int32Array(shared)
  port.on('message', ({ text }: ConfirmRequest) => {
    void agree(text).then(agreed => {
      Atomics.store(answer, 0, agreed ? CONFIRM_WORD.yes : CONFIRM_WORD.no)
      Atomics.notify(answer, 0)
    })
  })
  // A question that may come is no reason for the process to stay.
  port.unref()
}

// The host's half of `ctx.confirm`. What a core asked that has ended meanwhile is withdrawn, and its answer goes to nobody: the
// next core counts its questions from 1 again.

type HostConfirmRequest = Extract<CoreReport, { type: 'confirm' }>

export class HostConfirmRequests {
  readonly #onConfirm: OnConfirm | undefined
  readonly #log: Logger
  #open = new Map<number, AbortController>()
  #warned = false

  constructor(onConfirm: OnConfirm | undefined, log: Logger) {
    this.#onConfirm = onConfirm
    this.#log = log
  }

  ask({ id, text, label, command }: HostConfirmRequest, answer: (agreed: boolean) => void): void {
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
