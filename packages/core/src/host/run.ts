// `bus.run`: runs code as text once, in a frontend of its own that ends with it. `bus.resume` goes on with one. The phases of both, in order:
//
// 1. begin     the label is free, the functions are exposed, and the frontend is opened
// 2. open      its sandbox starts, and loads the code
// 3. claim     nobody else goes on with the same continuation
// 4. call      the code runs, until it returns or throws
// 5. explain   its result is measured, or its error gets the names that its caller knows
// 6. close     the frontend ends, once what the code has printed and sent has arrived
// 7. report    the value or the error, or a `RunReport` of either
//
// The caller's deadline and signal, and a command that interrupts the code, end phases 2 to 4 at any time. Phase 6 follows in any case.
import { Channel } from '@sallyport/frontend/internal'
import { checkResultBytes, type CodecName } from '@sallyport/protocol/internal/codec'
import { within } from '@sallyport/protocol/internal/contract'
import { BusError, describeName, isBusError, isUnsentError } from '@sallyport/protocol/internal/errors'
import { checkDeadline, RUN_METHOD, watchDeadline } from '@sallyport/protocol/internal/message'
import { isStream } from '@sallyport/protocol/internal/rpc'
import { bindContext, captureContext, createDeferred } from '@sallyport/protocol/internal/util'
import { HOST_METHOD } from '../contract/host-core.js'
import { callFrontend, checkSendableArguments, nameFunction } from './call-frontend.js'
import {
  type Continuation,
  type ContinuationHeader,
  createInterruptedError,
  getInterruption,
  type RunInterruption,
  Suspension,
} from '../life/continuations/suspension.js'
import type { FrontendConfig } from '../life/frontends/config.js'
import { CLOSE_TIMEOUT_MS } from '../life/frontends/gate-handle.js'
import type { Frontend } from '../life/frontends/frontend.js'
import type { Host } from './host.js'
import type { LocalCore } from './local-core.js'
import { checkModule } from '../options/check-files.js'
import { resolveRun, type RunConfig } from '../options/resolve-run.js'
import type { RunOptions } from '../options/types.js'
import { createRunOutput, type RunError, type RunLog, type RunReport, toRunError } from './run-report.js'

/** Time in ms for code that has returned or thrown to write what it printed last, before it counts as code that runs on. */
const OUTPUT_TIMEOUT_MS = 1000

/**
 * Resolves or rejects once the sandbox has ended.
 *
 * @returns the result, or a `RunReport`
 */
export async function run(host: Host<LocalCore>, source: string, options: RunOptions = {}): Promise<unknown> {
  const resolved = await resolveRun(RUN_METHOD, source, options, { ...host.options, threads: host.sharedThreads })
  await checkModule(`${RUN_METHOD}: directory`, resolved.module, resolved.config.text)
  return execute(host, { where: RUN_METHOD, source, resolved, options })
}

type RunEnd = { value: unknown } | { error: RunError } | ({ status: 'interrupted' } & RunInterruption)

export interface ResumedRun extends Continuation {
  /** Called before the code goes on. @throws if it must not */
  claim(): Promise<void>
}

export interface RunStart {
  /** The function that is called, for error texts: `bus.run`. */
  where: string
  source: string
  resolved: RunConfig
  options: Pick<RunOptions, 'signal' | 'timeout'>
  /** Left out for code that begins. */
  resumed?: ResumedRun
}

export const execute = async (host: Host<LocalCore>, start: RunStart): Promise<unknown> =>
  new Run(host, start).execute()

class Run {
  readonly #host: Host<LocalCore>
  readonly #start: RunStart
  readonly #label: string
  readonly #config: FrontendConfig
  readonly #suspension: Suspension
  /** Returns what was printed, for a report. */
  readonly #getLogs: (() => RunLog[]) | undefined
  readonly #opening: ReturnType<Host['frontends']['open']>
  readonly #frontend: Frontend
  readonly #hideFunctions: (() => void) | undefined
  readonly #stopWatching: () => void
  /** Rejects once the run is stopped. */
  readonly #stopped = createDeferred<never>()
  /** True once the caller waits no more: its deadline is over, or its signal has aborted. */
  #isStopped = false
  /** True once the code can have begun. Before that, what fails is not the code. */
  #canHaveBegun = false
  /** What of it did not arrive. */
  #lost: BusError | undefined

  constructor(host: Host<LocalCore>, start: RunStart) {
    const { where, resolved, options, resumed } = start
    const { frontends } = host
    const { label = frontends.createRunLabel(), timeout, functions, limits, report } = resolved
    const { onStdio: onText } = resolved.config
    const { onStdio, logs } = createRunOutput(onText && bindContext(onText), limits.consoleBytes, report)
    this.#host = host
    this.#start = start
    this.#label = label
    this.#getLogs = logs
    this.#suspension = new Suspension(resumed?.interrupted.slice(1))
    const getContext = bindContext(captureContext)
    this.#config = { ...resolved.config, onStdio, suspension: this.#suspension, getContext }
    checkDeadline(where, options)
    host.checkRunning()
    // Its label belongs to another frontend otherwise, which must not end with the run.
    frontends.checkFree(label)
    this.#hideFunctions = functions && host.core.client.expose({ [functions.name]: functions.run })
    this.#opening = frontends.open(label, resolved.module, this.#config)
    this.#frontend = frontends.get(label)!
    this.#stopWatching = watchDeadline(where, { signal: options.signal, timeout }, reason => {
      this.#isStopped = true
      this.#stopped.reject(reason)
    })
  }

  async execute(): Promise<unknown> {
    const { unhandled } = this.#frontend
    if (this.#getLogs) return this.#report()
    const value = await this.#runAndClose()
    if (unhandled.length > 0) this.#fail(getReason(unhandled[0], this.#frontend))
    return value
  }

  /** Phases 2 to 4. */
  async #openAndCall(): Promise<unknown> {
    const { resumed } = this.#start
    const wait = await this.#opening
    await wait()
    if (this.#isStopped) return undefined
    if (resumed) await this.#claim(resumed)
    this.#canHaveBegun = true
    return this.#call()
  }

  /** The host's function can take any time, and the caller does not wait for it beyond the deadline. */
  #claim(resumed: ResumedRun): Promise<void> {
    return Promise.race([resumed.claim(), this.#stopped.promise, this.#frontend.exited.then(throwExited)])
  }

  async #call(): Promise<unknown> {
    const { lastLink } = this.#frontend
    try {
      return await callFrontend(this.#host, this.#label, RUN_METHOD, this.#start.resolved.args, { timeout: false })
    } catch (error) {
      // Its process has ended before the code began, which gets another one.
      if (this.#frontend.lastLink === lastLink || !wasNotDelivered(error)) throw error
      await this.#frontend.connected()
      return this.#call()
    }
  }

  /** Rejects once a command has interrupted the code, with what it goes on from. */
  async #whenInterrupted(): Promise<never> {
    const suspended = await this.#suspension.whenSuspended
    const { hashCode } = await import('../life/continuations/sealed-continuation.js')
    const { createRecordId } = await import('../life/continuations/sealed-record.js')
    const { where, source, resolved, resumed } = this.#start
    const { sandbox } = this.#config
    const earlier = resumed?.header
    const header: ContinuationHeader = {
      id: createRecordId(),
      engine: sandbox.engine!,
      code: earlier?.code ?? hashCode(source),
      label: this.#label,
      isNamed: resolved.label !== undefined,
      hasProcess: sandbox.hasProcess === true,
      calls: this.#frontend.traffic.limitedCalls + (earlier?.calls ?? 0),
      received: this.#countCalls(),
    }
    const continuation = await this.#host.options.continuations!.seal({ ...suspended, header })
    throw createInterruptedError(where, continuation, suspended)
  }

  /** Phases 2 to 6. */
  async #runAndClose(): Promise<unknown> {
    const running = this.#openAndCall()
    let value: unknown
    try {
      value = await Promise.race([running, this.#stopped.promise, this.#whenInterrupted()])
      this.#checkResult(value)
    } catch (error) {
      return this.#fail(await this.#explain(error))
    } finally {
      this.#tellLost(await this.#close(running))
    }
    return value
  }

  /** What is lost after the code has returned or thrown is told, and takes nothing back. */
  #tellLost(end: Error | undefined): void {
    // The caller has ended code that ran on.
    if (!isUnsentError(end) || this.#isStopped) return
    this.#lost = end as BusError
    this.#host.reporter.reportFault(this.#label, this.#lost)
  }

  #checkResult(value: unknown): void {
    const { resultBytes } = this.#start.resolved.limits
    if (resultBytes !== undefined) checkResultBytes(value, resultBytes, this.#config.codec)
  }

  async #explain(error: unknown): Promise<unknown> {
    const { functions } = this.#start.resolved
    const thrown = getReason(error, this.#frontend)
    const reason = this.#isStopped ? await this.#explainStop(thrown) : thrown
    return functions ? functions.explain(reason) : reason
  }

  async #explainStop(error: unknown): Promise<unknown> {
    const { info, traffic } = this.#frontend
    // A call can arrive before the message that it has started.
    const isStarting = info.state === 'starting' && traffic.limitedCalls === 0
    if (!isStarting || !isBusError(error, 'Timeout')) return nameCalls(error, this.#host.core, this.#label)
    return new BusError('Timeout', `${error.message}: its sandbox had not started. Pass a longer \`timeout\``)
  }

  async #close(running: Promise<unknown>): Promise<Error | undefined> {
    this.#stopWatching()
    const closing = this.#frontend.close(this.#isStopped ? 0 : OUTPUT_TIMEOUT_MS)
    const ended = closing.then(() => running.catch(() => {}))
    // Its caller waits no more for what can take any time, such as a core that is busy.
    await (this.#isStopped ? within(CLOSE_TIMEOUT_MS, ended) : ended)
    this.#hideFunctions?.()
    return this.#isStopped ? undefined : closing
  }

  #fail(error: unknown): never {
    if (!getInterruption(error)) this.#host.reporter.reportRunFailure(this.#label, error, this.#canHaveBegun)
    throw error
  }

  async #report(): Promise<RunReport> {
    try {
      return this.#createReport({ value: await this.#runAndClose() })
    } catch (error) {
      const interruption = getInterruption(error)
      if (interruption) return this.#createReport({ status: 'interrupted', ...interruption })
      if (this.#isOfHost(error)) throw error
      return this.#createReport({ error: toRunError(error) })
    }
  }

  /** True for an error that is not one of the code, and that no report has. */
  #isOfHost(error: unknown): boolean {
    if (this.#isStopped && isBusError(error, 'Cancelled')) return true
    // Wrong options, or a sandbox that did not start: a continuation can be used again.
    const hasNotBegun = !this.#canHaveBegun && !this.#isStopped
    if (hasNotBegun && (this.#start.resumed || !isBusError(error, 'LoadFailed'))) return true
    return isArgumentError(error, this.#start.resolved.args, this.#config.codec)
  }

  #createReport(end: RunEnd): RunReport {
    const unhandled = [...this.#frontend.unhandled, ...(this.#lost ? [this.#lost] : [])].map(toRunError)
    const traffic = { logs: this.#getLogs!(), calls: this.#countCalls() }
    return {
      ...{ value: undefined, ...traffic, error: undefined },
      ...(unhandled.length > 0 && { unhandled }),
      ...end,
    }
  }

  #countCalls(): number {
    return this.#frontend.takeTraffic(false).calls + (this.#start.resumed?.header.received ?? 0)
  }
}

/** Adds the names of the calls that had not ended to the error of a run that has exceeded its timeout. */
async function nameCalls(error: unknown, core: LocalCore, label: string): Promise<unknown> {
  if (!isBusError(error, 'Timeout')) return error
  const { running = [] } = (await core.measure()) ?? {}
  const names = running.flatMap(call => (call.label === label ? describeName(call.command) : []))
  if (names.length === 0) return error
  const text = `${error.message}. Calls that had not ended: ${names.join(', ')}`
  return new BusError('Timeout', text, { cause: error.cause })
}

/** True if the arguments cannot be sent. The code can have thrown the same error. */
function isArgumentError(error: unknown, args: object, codec: CodecName): boolean {
  if (!isBusError(error, 'InvalidParams')) return false
  // References are sent in the place of channels and streams.
  const isReplaced = (value: unknown): boolean => value instanceof Channel || isStream(value)
  try {
    const entries = Object.entries(args).filter(([, value]) => !isReplaced(value))
    checkSendableArguments(Object.fromEntries(entries), codec)
    return false
  } catch {
    return true
  }
}

/** @internal */
export const wasNotDelivered = (error: unknown): boolean =>
  isBusError(error, 'Disconnected') && (error.data as { delivered?: unknown } | undefined)?.delivered === 'no'

function throwExited(): never {
  const text = 'The sandbox ended while the continuation was claimed'
  throw new BusError('Disconnected', text, { data: { delivered: 'no' } })
}

/** Returns the error that ended the sandbox if its call failed for that reason. */
function getReason(thrown: unknown, { end }: Frontend): unknown {
  const error = isBusError(thrown, 'Disconnected') && end?.error ? end.error : thrown
  // The code can throw an error with any reason.
  if (isBusError(error, 'Interrupted') && !getInterruption(error)) {
    return new BusError('CommandFailed', error.message, { data: error.data, cause: error.cause })
  }
  return isBusError(error) ? nameFunction(error, HOST_METHOD.call, RUN_METHOD) : error
}
