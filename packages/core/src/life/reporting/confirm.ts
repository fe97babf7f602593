// Asks the person at the host through `onConfirm`: for `confirm(text)` in an isolation hook, and `ctx.confirm(text)` in a command.
import type { MessagePort } from 'node:worker_threads'
import { CONFIRM_WORD, type ConfirmRequest } from '@sallyport/protocol/internal/contract'
import { isYes, reportError, type ReportedError } from '@sallyport/protocol/internal/errors'
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
    return isYes('onConfirm', (await context.runInAsyncScope(onConfirm, undefined, text, from)) ?? false)
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

/**
 * Answers `ctx.confirm` of one call of a frontend, on a bus without `onConfirm`.
 *
 * @param call - the number of the call, as its caller counts
 * @returns what `ctx.confirm` resolves or rejects with
 */
export type ConfirmCall = (text: string, call: unknown, signal: AbortSignal) => Promise<boolean>

/** The host's side of `ctx.confirm`. Requests of a core that has ended are aborted: the next core counts its requests from 1 again. */
export class HostConfirmRequests {
  readonly #onConfirm: OnConfirm | undefined
  readonly #log: HostLog
  #pending = new Map<number, AbortController>()
  /** By the number of the frontend: a call can ask after another one has its label. */
  readonly #ofCalls = new Map<number | undefined, ConfirmCall>()
  #hasWarned = false

  constructor(onConfirm: OnConfirm | undefined, log: HostLog) {
    this.#onConfirm = onConfirm
    this.#log = log
  }

  /** Asks `confirm` for calls of a frontend of this host, unless the host has said who answers. Returns what ends that. */
  answerCallsOf(frontend: number | undefined, confirm: ConfirmCall): () => void {
    this.#ofCalls.set(frontend, confirm)
    return () => void this.#ofCalls.delete(frontend)
  }

  ask(
    { id, text, label, command, call, frontend }: Extract<CoreReport, { type: 'confirm' }>,
    answer: (confirmed: boolean | ReportedError) => void,
    context: AsyncContext | undefined,
  ): void {
    const pending = this.#pending
    const controller = new AbortController()
    const { signal } = controller
    const settle = (confirmed: boolean | ReportedError): void => {
      pending.delete(id)
      if (this.#pending === pending) answer(confirmed)
    }
    if (!this.#onConfirm) {
      const own = frontend === undefined ? undefined : this.#ofCalls.get(frontend)?.(text, call, signal)
      if (own) {
        pending.set(id, controller)
        return void own.then(settle, (error: unknown) => settle(reportError(error)))
      }
      if (!this.#hasWarned) {
        this.#log.warn({ label, command }, 'A command asked for confirmation without onConfirm: answering false')
      }
      this.#hasWarned = true
      return answer(false)
    }
    pending.set(id, controller)
    void isConfirmed(this.#onConfirm, text, { label, command, signal }, this.#log, context).then(settle)
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
