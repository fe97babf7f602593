// Asks the person at the host through `onConfirm`: for `confirm(text)` in an isolation hook, and `ctx.confirm(text)` in a command.
import type { MessagePort } from 'node:worker_threads'
import { CONFIRM_WORD, type ConfirmRequest } from '@sallyport/protocol/internal/contract'
import { type AsyncContext, createEmptyContext } from '@sallyport/protocol/internal/util'
import type { CoreReport } from '../../contract/host-core.js'
import type { HostLog } from './log.js'

/**
 * Answers `ctx.confirm`, and `confirm` of a hook: shows `text` to the user, and returns or resolves to `true` if the user agrees.
 *
 * @param from.label - the frontend whose message or call needs the confirmation
 * @param from.command - the command that asks; `undefined` for a hook
 * @param from.signal - for a command: aborts when its call was cancelled or core has ended, so that the answer is no longer needed
 */
export type OnConfirm = (
  text: string,
  from: { label: string; command?: string; signal?: AbortSignal },
) => boolean | Promise<boolean>

/** Returns false unless `onConfirm` answers `true`. Never rejects. */
export async function isConfirmed(
  onConfirm: OnConfirm,
  text: string,
  from: Parameters<OnConfirm>[1],
  log: HostLog,
  context: AsyncContext = createEmptyContext(),
): Promise<boolean> {
  try {
    return (await context.runInAsyncScope(onConfirm, undefined, text, from)) === true
  } catch (error) {
    const { label, command } = from
    log.error({ label, command, err: error }, 'onConfirm failed: answering false')
    return false
  }
}

/** Answers the requests of a gate, whose thread sleeps until then, as a page does while its dialog is open. */
export function answerConfirm(
  port: MessagePort,
  shared: SharedArrayBuffer,
  confirm: (text: string) => Promise<boolean>,
): void {
  const answer = new Int32Array(shared)
  port.on('message', ({ text }: ConfirmRequest) => {
    void confirm(text).then(confirmed => {
      Atomics.store(answer, 0, confirmed ? CONFIRM_WORD.yes : CONFIRM_WORD.no)
      Atomics.notify(answer, 0)
    })
  })
  // Future requests must not keep the process alive.
  port.unref()
}

/** The host's side of `ctx.confirm`. Requests of a core that has ended are aborted: the next core counts its requests from 1 again. */
export class HostConfirmRequests {
  readonly #onConfirm: OnConfirm | undefined
  readonly #log: HostLog
  #pending = new Map<number, AbortController>()
  #hasWarned = false

  constructor(onConfirm: OnConfirm | undefined, log: HostLog) {
    this.#onConfirm = onConfirm
    this.#log = log
  }

  ask(
    { id, text, label, command }: Extract<CoreReport, { type: 'confirm' }>,
    answer: (confirmed: boolean) => void,
    context: AsyncContext | undefined,
  ): void {
    if (!this.#onConfirm) {
      if (!this.#hasWarned) {
        this.#log.warn({ label, command }, 'A command asked for confirmation without onConfirm: answering false')
      }
      this.#hasWarned = true
      return answer(false)
    }
    const pending = this.#pending
    const controller = new AbortController()
    pending.set(id, controller)
    const { signal } = controller
    void isConfirmed(this.#onConfirm, text, { label, command, signal }, this.#log, context).then(confirmed => {
      pending.delete(id)
      if (this.#pending === pending) answer(confirmed)
    })
  }

  /** Aborts a request whose call was cancelled. It stays pending until answered: only then may its frontend's commands ask again. */
  withdraw(id: number): void {
    this.#pending.get(id)?.abort()
  }

  reset(): void {
    const pending = this.#pending
    this.#pending = new Map()
    for (const controller of pending.values()) controller.abort()
  }
}
