// `bus.run`: runs code as text once, in a frontend of its own that ends with it.
import { checkResultBytes, type CodecName, measureValue } from '@sallyport/protocol/internal/codec'
import { BusError, describeName, isBusError, isUnsentError } from '@sallyport/protocol/internal/errors'
import { checkDeadline, watchDeadline } from '@sallyport/protocol/internal/message'
import { bindContext, captureContext, createDeferred } from '@sallyport/protocol/internal/util'
import { HOST_METHOD, RUN_METHOD } from '../contract/host-core.js'
import { callFrontend, nameFunction } from './call-frontend.js'
import {
  type Continuation,
  type ContinuationHeader,
  createInterruptedError,
  getInterruption,
  type RunInterruption,
  Suspension,
} from './continuations/suspension.js'
import type { Frontend } from './frontends/frontend.js'
import type { Host } from './host.js'
import type { LocalCore } from './local-core.js'
import { checkModule } from './options/check-files.js'
import { resolveRun, type RunConfig } from './options/resolve-run.js'
import type { RunOptions } from './options/types.js'
import { createRunOutput, type RunError, type RunReport, toRunError } from './run-report.js'

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
  return execute(host, RUN_METHOD, source, resolved, options)
}

type RunEnd = { value: unknown } | { error: RunError } | ({ status: 'interrupted' } & RunInterruption)

export interface ResumedRun extends Continuation {
  /** Called before the code goes on. @throws if it must not */
  claim(): Promise<void>
}

/** @param resumed - left out for code that begins */
export async function execute(
  host: Host<LocalCore>,
  where: string,
  source: string,
  resolved: RunConfig,
  options: Pick<RunOptions, 'signal' | 'timeout'>,
  resumed?: ResumedRun,
): Promise<unknown> {
  const { frontends } = host
  const { label = frontends.createRunLabel(), module, args, timeout, functions, limits, report } = resolved
  const { onStdio: onText } = resolved.config
  const { onStdio, logs } = createRunOutput(onText && bindContext(onText), limits.consoleBytes, report)
  const suspension = new Suspension(resumed?.interrupted.slice(1))
  const config = { ...resolved.config, onStdio, suspension, getContext: bindContext(captureContext) }
  checkDeadline(where, options)
  host.checkRunning()
  // Its label belongs to another frontend otherwise, which must not end with the run.
  frontends.checkFree(label)
  const hide = functions && host.core.client.expose({ [functions.name]: functions.run })
  const opening = frontends.open(label, module, config)
  const frontend = frontends.get(label)!
  const stopped = createDeferred<never>()
  let isStopped = false
  const stopWatching = watchDeadline(where, { signal: options.signal, timeout }, reason => {
    isStopped = true
    stopped.reject(reason)
  })
  const callFunction = async (): Promise<unknown> => {
    const { lastLink } = frontend
    try {
      return await callFrontend(host, label, RUN_METHOD, args, { timeout: false })
    } catch (error) {
      // Its process has ended before the code began, which gets another one.
      if (frontend.lastLink === lastLink || !wasNotDelivered(error)) throw error
      await frontend.connected()
      return callFunction()
    }
  }
  let isOpen = false
  const running = (async () => {
    await (
      await opening
    )()
    if (isStopped) return undefined
    // The host's function can take any time, and the caller does not wait for it beyond the deadline.
    if (resumed) await Promise.race([resumed.claim(), stopped.promise, frontend.exited.then(throwExited)])
    isOpen = true
    return callFunction()
  })()
  const earlier = resumed?.header
  const getCalls = (): number => frontend.takeTraffic(false).calls + (earlier?.received ?? 0)
  const interrupted = suspension.whenSuspended.then(async (suspended): Promise<never> => {
    const { createContinuationId, hashCode } = await import('./continuations/sealed-continuation.js')
    const header: ContinuationHeader = {
      id: createContinuationId(),
      engine: config.sandbox.engine!,
      code: earlier?.code ?? hashCode(source),
      label,
      isNamed: resolved.label !== undefined,
      hasProcess: config.sandbox.hasProcess === true,
      calls: frontend.traffic.limitedCalls + (earlier?.calls ?? 0),
      received: getCalls(),
    }
    const continuation = await host.options.continuations!.seal({ ...suspended, header })
    throw createInterruptedError(where, continuation, suspended)
  })
  const finish = async (): Promise<unknown> => {
    let value: unknown
    let end: Error | undefined
    try {
      value = await Promise.race([running, stopped.promise, interrupted])
      if (limits.resultBytes !== undefined) checkResultBytes(value, limits.resultBytes, config.codec)
    } catch (error) {
      const thrown = getReason(error, frontend)
      const reason = isStopped ? await nameCalls(thrown, host.core, label) : thrown
      throw functions ? functions.explain(reason) : reason
    } finally {
      stopWatching()
      end = await frontend.close(isStopped ? 0 : OUTPUT_TIMEOUT_MS)
      await running.catch(() => {})
      hide?.()
    }
    // What else the code left running cannot fail it any more.
    if (isUnsentError(end)) throw end
    return value
  }
  const { unhandled } = frontend
  if (!logs) {
    const value = await finish()
    if (unhandled.length > 0) throw getReason(unhandled[0], frontend)
    return value
  }
  const createReport = (end: RunEnd): RunReport => {
    const lost = unhandled.length > 0 && { unhandled: unhandled.map(toRunError) }
    return { value: undefined, logs: logs(), calls: getCalls(), error: undefined, ...lost, ...end } as RunReport
  }
  try {
    return createReport({ value: await finish() })
  } catch (error) {
    const interruption = getInterruption(error)
    if (interruption) return createReport({ status: 'interrupted', ...interruption })
    // The host's own decision is no error of the code.
    if (isStopped && isBusError(error, 'Cancelled')) throw error
    // Wrong options, or a sandbox that did not start: a continuation can be used again.
    if (
      (!isOpen && !isStopped && (resumed || !isBusError(error, 'LoadFailed'))) ||
      isArgumentError(error, args, config.codec)
    )
      throw error
    return createReport({ error: toRunError(error) })
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

/** True if the arguments cannot be sent. The message alone could be one that the code has thrown. */
function isArgumentError(error: unknown, args: object, codec: CodecName): boolean {
  if (!isBusError(error, 'InvalidParams') || !error.message.startsWith(`Arguments of "${RUN_METHOD}"`)) return false
  try {
    measureValue(args, codec)
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
