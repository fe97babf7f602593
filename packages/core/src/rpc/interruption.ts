// `ctx.interrupt`: how a command ends the run that calls it.
import { serializeValue } from '@sallyport/protocol/internal/contract'
import { BusError, describeCommand, describeThrown } from '@sallyport/protocol/internal/errors'
import type { InterruptionReport, RunTerms } from '../contract/host-core.js'

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
