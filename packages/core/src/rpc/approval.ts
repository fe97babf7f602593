// How a handler asks before it goes on: `ctx.confirm` waits for the host's answer, and `ctx.interrupt` ends the run that calls.
import { serializeValue, toConfirmText } from '@sallyport/protocol/internal/contract'
import {
  BusError,
  describeCommand,
  describeThrown,
  receiveError,
  type ReportedError,
} from '@sallyport/protocol/internal/errors'
import type { RequestId } from '@sallyport/protocol/internal/message'
import { MAX_CONFIRM_REQUESTS } from '@sallyport/protocol/internal/wire'
import type { CoreReport, InterruptionReport, LinkOffer, RunTerms } from '../contract/host-core.js'

type ConfirmSession = Partial<Pick<LinkOffer, 'frontend' | 'limitLabel' | 'maxConfirms'>>
export type ConfirmCaller = { label: string; command: string; call: RequestId | undefined; signal: AbortSignal }

/**
 * Requests of `ctx.confirm`, which the host answers, perhaps by asking a person. A request stays open until the host answers, even if its
 * call is cancelled: otherwise a flood of cancelled calls could open any number of requests.
 */
export class ConfirmRequests {
  readonly #report: (report: CoreReport) => void
  readonly #pending = new Map<number, { limitLabel: string; settle: (answer: boolean | ReportedError) => void }>()
  #lastId = 0

  constructor(report: (report: CoreReport) => void) {
    this.#report = report
  }

  /**
   * @param session - open requests count for its `limitLabel`
   * @throws {BusError} `Overloaded` if too many requests are open; why the host could not ask; the signal's reason once it aborts
   */
  async confirm(
    text: unknown,
    { label, command, call, signal }: ConfirmCaller,
    { frontend, limitLabel = label, maxConfirms = MAX_CONFIRM_REQUESTS }: ConfirmSession,
  ): Promise<boolean> {
    signal.throwIfAborted()
    const open = [...this.#pending.values()].filter(request => request.limitLabel === limitLabel)
    if (open.length >= maxConfirms) {
      const text = `${maxConfirms} confirm requests of this label are already open`
      throw new BusError('Overloaded', text, { code: 'TOO_MANY_QUESTIONS' })
    }
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const withdraw = (): void => {
        this.#report({ type: 'withdraw', id })
        reject(signal.reason)
      }
      const settle = (answer: boolean | ReportedError): void => {
        signal.removeEventListener('abort', withdraw)
        if (typeof answer === 'boolean') resolve(answer)
        else reject(receiveError(answer, 'The host could not ask for confirmation'))
      }
      this.#pending.set(id, { limitLabel, settle })
      signal.addEventListener('abort', withdraw, { once: true })
      this.#report({ type: 'confirm', id, frontend, label, command, call, text: toConfirmText(text) })
    })
  }

  answer(id: number, answer: boolean | ReportedError): void {
    const request = this.#pending.get(id)
    this.#pending.delete(id)
    request?.settle(answer)
  }
}

export type Interrupts = RunTerms['interrupts']

/**
 * The answer of a call that was interrupted, which the code never gets. Its data is a token, and the host gets the token with the content. Any
 * other error with this reason, such as that of a `bus.run` within a handler, interrupts nothing.
 */
export class Interruption extends BusError {
  readonly #content: Uint8Array

  /** Never throws: a handler can throw a proxy, which `instanceof` would run. */
  static is(thrown: unknown): thrown is Interruption {
    return typeof thrown === 'object' && thrown !== null && #content in thrown
  }

  static getReport(interruption: Interruption): InterruptionReport {
    return { token: interruption.data as string, data: interruption.#content }
  }

  constructor(method: string, content: Uint8Array) {
    super('Interrupted', `${describeCommand(method)} interrupted the run. Do not catch this error`, {
      // The global, because node:crypto takes a millisecond to load.
      data: crypto.randomUUID(),
    })
    this.#content = content
  }
}

const PAGE = 'See "Interrupt and resume" in the documentation'

/** @throws {BusError} InvalidRequest, InvalidParams */
export function createInterruption(
  method: string,
  data: unknown,
  interrupts: Interrupts,
  isAnswered: boolean,
): Interruption {
  const refuse = (why: string, remedy: string): BusError =>
    new BusError('InvalidRequest', `ctx.interrupt in ${describeCommand(method)}: ${why}. ${remedy}`)
  if (interrupts === undefined)
    throw refuse(
      'the call does not come from a run in QuickJS',
      `Call it from code of bus.run in that sandbox. ${PAGE}`,
    )
  if (interrupts === 'no-key')
    throw refuse('the bus has no key for continuations', 'Pass createBus({ runs: { key } }) 32 secret bytes')
  if (!isAnswered) throw refuse('the call is a stream, or has no answer', 'Call the command with invoke')
  try {
    return new Interruption(method, serializeValue(data))
  } catch (cause) {
    const text = `The data of ctx.interrupt in ${describeCommand(method)} cannot be copied: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', text, { cause })
  }
}
