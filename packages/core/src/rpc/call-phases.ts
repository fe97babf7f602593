// The phases of a call, in order. Each can end the call with an error, which is its answer: no later phase runs then.
//
// 1. admission   the bus is not closing, the command exists, and a run has not made too many calls
// 2. rights      the permissions of the frontend allow the command
// 3. limits      the id is free, and neither too many calls nor too many channels are open
// 4. quota       the rules of `calls.quotas` for the frontend and the command
// 5. middleware  the app's functions (`use`), from the outermost inwards
// 6. schema      the arguments are checked and converted
// 7. handler     the command's function, or a thread of the pool
// 8. answer      the result, the values of a stream, or the error
//
// Rights precede limits, so that a denied call is reported as such also if its frontend floods core. Phases 5 to 7 are one function,
// `command.run`, which `composeRun` composes before the first call. A phase that a command does not have costs its calls nothing.
import { types } from 'node:util'
import {
  BusError,
  createClosingError,
  describeCommand,
  describeName,
  didYouMean,
  findPlace,
  isBusError,
  toBusError,
} from '@sallyport/protocol/internal/errors'
import type { CallHeaders, CallMessage, RequestId } from '@sallyport/protocol/internal/message'
import type { Outcome } from '@sallyport/protocol/internal/rpc'
import { discard, isAsyncIterable, isDevelopment, isThenable } from '@sallyport/protocol/internal/util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { CORE_COMMANDS, isGuiPlugin, splitMethod } from '../acl/identifier.js'
import type { Middleware, MiddlewareCall } from '../api/app.js'
import { RUN_FUNCTION_METHOD } from '../contract/host-core.js'
import { COUNT, type Counts, type SessionMetrics } from '../shared/metrics.js'
import { MAX_NAME_LENGTH } from '../shared/frontend-errors.js'
import { checkArguments } from '../api/arguments.js'
import {
  type CallOwner,
  type CallTable,
  type CommandRegistry,
  getCallName,
  getFunctionName,
  getTimeout,
  IncomingCall,
  type Runnable,
} from './call-table.js'
import { type CallChannel, type ChannelTable, findSenders, resultAfter, sendAll } from './channels.js'
import { Interruption } from './approval.js'
import type { FrontendQuotas } from './quotas.js'
import type { SessionEvents } from './reports.js'
import type { SessionWriter } from './writer.js'

export function composeRun(
  method: string,
  use: readonly Middleware[],
  schema: StandardSchemaV1 | undefined,
  handler: Runnable['run'],
): Runnable['run'] {
  return wrapWithMiddleware(use, method, schema ? checkArguments(method, schema, handler) : handler)
}

export interface CallTerms {
  registry: CommandRegistry
  /** Commands that this session alone has, and may call. */
  ownCommands?: CommandRegistry | undefined
  quotas?: FrontendQuotas | undefined
  /** Calls of commands of the app and of plugins, and of `ownCommands`, that the session can make. */
  maxCalls?: number | undefined
  /** Calls of `maxCalls` that were made before. */
  madeCalls?: number | undefined
  /** True if calls carry deadlines that end them here, too. */
  hasDeadlines: boolean
}

export interface CallPhasesDeps extends CallTerms {
  session: CallOwner & {
    readonly metrics: SessionMetrics
    readonly calls: CallTable
  }
  channels: ChannelTable
  writer: SessionWriter
  events: SessionEvents
  countInFlight(): number
}

const NO_CHANNELS: readonly CallChannel[] = []

export class CallPhases {
  isDraining = false
  readonly #deps: CallPhasesDeps
  readonly #counts: Counts
  readonly #isHost: boolean
  #callCount: number

  constructor(deps: CallPhasesDeps) {
    this.#deps = deps
    this.#counts = deps.session.metrics.counts
    this.#isHost = deps.session.label === undefined
    this.#callCount = deps.madeCalls ?? 0
  }

  /** @throws {BusError} the answer, which the caller sends with `fail` */
  run(message: CallMessage): Outcome | Promise<Outcome> {
    const { id, method, params = {}, headers = {} } = message
    const { session, registry, channels: table, ownCommands, quotas, maxCalls } = this.#deps
    const { metrics, permits, calls } = session
    this.#counts[COUNT.calls] += 1
    const startedAt = metrics.begin()

    // Admission
    if (this.isDraining) throw createClosingError()
    const own = ownCommands?.get(method)
    const command = own ?? registry.get(method)
    if (!command) throw new BusError('MethodNotFound', describeNotFound(method, registry, params))
    if (maxCalls !== undefined && (own || command.owner !== 'core')) this.#count(maxCalls)

    // Rights
    const denial = own ? undefined : permits.check(command)
    if (denial) {
      this.#counts[COUNT.denied] += 1
      this.#deps.events.denied(method, permits.getHint(command))
      throw denial
    }

    // Limits
    calls.checkLimits(id, this.#deps.countInFlight())
    const timeoutMs = this.#deps.hasDeadlines ? getTimeout(headers) : undefined
    const opened = message.channels === undefined ? NO_CHANNELS : table.bind(params, message.channels)
    const senders = message.channels === undefined ? undefined : findSenders(params as Record<string, unknown>)
    const stream = message.headers === undefined ? undefined : table.openStream(headers, opened)
    const channels = stream === undefined ? opened : [...opened, stream]

    const call = new IncomingCall(session, id, command, { headers, body: params }, channels)
    try {
      // Quota, middleware, schema, handler
      const returned = quotas && !own ? quotas.run(command, params, call) : command.run(params, call)
      if (call.interruption) {
        // Middleware is asynchronous, and rejects with it, too.
        if (isThenable(returned)) returned.then(undefined, () => {})
        throw call.interruption
      }

      // Answer
      const answer = stream === undefined ? returned : sendAll(returned, stream, method, call.signal)
      const result = senders ? resultAfter(senders, answer) : answer
      if (isThenable(result))
        return this.#await(call, message, Promise.resolve(result), stream === undefined ? startedAt : 0, timeoutMs)
      if (startedAt !== 0 && id !== undefined) {
        const nanoseconds = metrics.end(startedAt)
        metrics.watch?.addDuration(method, nanoseconds)
      }
      if (opened.length > 0) call.releaseChannels()
      if (id === undefined) return undefined
      if (command.owner !== 'core') this.#counts[COUNT.succeeded] += 1
      metrics.watch?.addAnswer(message, result)
      return this.#deps.writer.result(id, method, result)
    } catch (error) {
      call.failChannels()
      throw getFailure(call, error)
    }
  }

  #count(maxCalls: number): void {
    this.#counts[COUNT.limited] += 1
    if (++this.#callCount <= maxCalls) return
    const data = { limit: 'calls', max: maxCalls }
    throw new BusError('Overloaded', `The code made more than ${maxCalls} calls`, { code: 'CALLS_SPENT', data })
  }

  /** Answers a call with an error, which is logged if nobody waits for an answer. */
  fail(call: CallMessage | IncomingCall, thrown: unknown): BusError {
    const { id, method } = call
    if (Interruption.is(thrown) && id !== undefined) return this.#interrupt(id, method, thrown)
    this.#counts[COUNT.failures] += 1
    const error = toBusError(method, thrown)
    const mistake = describeMistake(thrown)
    if (mistake !== undefined) {
      error.message = `${describeCommand(method)} failed: ${error.message}`
      this.#deps.events.mistaken('command threw', { command: method, ...mistake })
    }
    if (error.reason === 'Overloaded') this.#counts[COUNT.overloaded] += 1
    const { watch } = this.#deps.session.metrics
    const { headers, body } = 'request' in call ? call.request : { headers: call.headers, body: call.params }
    if (watch) watch.addFailure(this.getWatchedName(method, headers), error.reason)
    if (id !== undefined) return this.#deps.writer.error(id, method, error, getFunctionName(method, body))
    this.#deps.events.warned('a call without an id failed', { command: method, reason: error.reason })
    return error
  }

  #interrupt(id: RequestId, method: string, interruption: Interruption): BusError {
    this.#deps.events.interrupted(Interruption.getReport(interruption))
    return this.#deps.writer.error(id, method, interruption)
  }

  /** Only the host has a command that calls functions of frontends. */
  getWatchedName(method: string, headers: CallHeaders | undefined): string {
    return this.#isHost ? getCallName(method, headers) : method
  }

  /** Answers once the handler's promise, or its stream, has settled. @param startedAt 0 if the call is not timed */
  #await(
    call: IncomingCall,
    message: CallMessage,
    result: Promise<unknown>,
    startedAt: number,
    timeoutMs: number | undefined,
  ): Promise<Outcome> {
    const { session, writer } = this.#deps
    const { metrics, calls } = session
    if (startedAt !== 0) {
      const { watch } = metrics
      const name = watch && this.getWatchedName(call.method, call.request.headers)
      metrics.endWith(result, startedAt, watch && (duration => watch.addDuration(name!, duration)))
    }
    calls.add(call, timeoutMs)
    return result.then(
      // A call that was removed before was cancelled or expired, or its session has ended: it is not answered.
      value => {
        call.releaseChannels()
        if (!calls.remove(call)) return call.abortReason
        if (call.interruption) return this.fail(call, call.interruption)
        if (call.id === undefined) return undefined
        if (!call.isOfBus) this.#counts[COUNT.succeeded] += 1
        metrics.watch?.addAnswer(message, value)
        return writer.result(call.id, call.method, value)
      },
      (error: unknown) => {
        call.failChannels()
        return calls.remove(call) || call.id === undefined ? this.fail(call, getFailure(call, error)) : call.abortReason
      },
    )
  }
}

/** V8's words for a mistake, without names and values: `[1].map(args.f)` throws "canary is not a function", and no log has payloads. */
const MISTAKE =
  /^Cannot (?:(?:read|set) properties of (?:undefined|null)|destructure|convert undefined or null to object)| is not (?:a function|a constructor|(?:async )?iterable|defined)(?=$| \(| or )| before initialization$|^Assignment to constant variable/

/**
 * Says where a handler made a mistake, if the engine threw. What a handler throws on purpose is for its caller alone, unless it has the
 * words of the engine.
 */
function describeMistake(thrown: unknown): { error: string; place: string; why: string } | undefined {
  // A proxy can be thrown, too.
  if (!types.isNativeError(thrown)) return undefined
  try {
    if (!(thrown instanceof TypeError || thrown instanceof ReferenceError)) return undefined
    const { message } = thrown
    const [words] = MISTAKE.exec(message) ?? []
    if (words === undefined) return undefined
    return {
      error: thrown instanceof TypeError ? 'TypeError' : 'ReferenceError',
      place: findPlace(thrown),
      why: `${message.startsWith(words) ? '' : '…'}${words}${message.endsWith(words) ? '' : '…'}`,
    }
  } catch {
    // A getter threw.
    return undefined
  }
}

/** Returns what a call has failed with. The reason `Interrupted` of any other error is that of another run. */
function getFailure({ interruption }: IncomingCall, thrown: unknown): unknown {
  if (interruption) return interruption
  return isBusError(thrown, 'Interrupted') ? new BusError('CommandFailed', thrown.message, { cause: thrown }) : thrown
}

/** Returns Tauri's text for an unknown command, with its plugin, the reason for a GUI command, and a suggestion in development. */
function describeNotFound(method: string, registry: CommandRegistry, params?: unknown): string {
  if (method === RUN_FUNCTION_METHOD) {
    const missing = describeName(getFunctionName(method, params))
    return `The run has no function ${missing}. Pass its "functions" to bus.resume, too`
  }
  const { plugin, name: fullName } = splitMethod(method)
  const name = fullName.slice(0, MAX_NAME_LENGTH)
  if (plugin === undefined) return `Command ${name} not found${suggest(method, registry.keys())}`
  const needsWindow = plugin === 'app' && name !== 'exit' && CORE_COMMANDS['app']!.others.includes(name)
  if (needsWindow || isGuiPlugin(plugin)) {
    return `Command ${name} not found: ${describeName(`${plugin}|${name}`)} is not available without a GUI`
  }
  const known = Array.from(registry.keys(), splitMethod)
  const commands = known.filter(other => other.plugin === plugin).map(other => other.name)
  if (commands.length > 0) return `Command ${name} of plugin ${plugin} not found${explainAbsence(name, commands)}`
  const plugins = known.flatMap(other => other.plugin ?? [])
  return `plugin ${plugin.slice(0, MAX_NAME_LENGTH)} not found${suggest(plugin, plugins)}`
}

const suggest = (name: string, names: Iterable<string>): string => (isDevelopment() ? didYouMean(name, names) : '')

/** Says what stands for a name that a plugin cannot have: tools of others are named as they like. */
function explainAbsence(name: string, commands: readonly string[]): string {
  const own = name.replaceAll(/[^A-Za-z0-9_.-]/g, '_')
  const other = commands.find(command => command.replaceAll('_', '-') === own.replaceAll('_', '-'))
  if (other === undefined) return suggest(name, commands)
  return own === name ? `: "${other}" has its permission` : `: its name here is "${other}"`
}

/** Returns `run` itself if there is no middleware, so that calls cost nothing more. @param use from the outermost inwards */
export function wrapWithMiddleware(use: readonly Middleware[], method: string, run: Runnable['run']): Runnable['run'] {
  if (use.length === 0) return run

  return async (args, ctx) => {
    const call: MiddlewareCall = Object.freeze({ command: method, args, ctx })
    let handlerResult: unknown
    let isUnread = false
    const runHandler = async (): Promise<unknown> => {
      handlerResult = await run(args, ctx)
      if (isUnread) discardStream(handlerResult)
      return handlerResult
    }
    let result: unknown
    try {
      result = await use.reduceRight<Run>((inner, middleware) => wrap(middleware, call, ctx, inner), runHandler)()
      return result
    } finally {
      isUnread = !isAsyncIterable(result)
      if (isUnread) discardStream(handlerResult)
    }
  }
}

type Run = () => Promise<unknown>

/** Returns a function that runs a middleware, whose `next` runs `inner`: the next middleware, or the handler. */
const wrap =
  (middleware: Middleware, call: MiddlewareCall, ctx: IncomingCall, inner: Run): Run =>
  async () => {
    let state: 'running' | 'nextCalled' | 'ended' = 'running'
    const runNext: Run = async () => {
      const { method, abortReason } = ctx
      if (state !== 'running') {
        const when = state === 'nextCalled' ? 'twice' : 'after it had ended'
        throw new BusError('InternalError', `A middleware of ${describeCommand(method)} called next ${when}`)
      }
      state = 'nextCalled'
      // The caller no longer waits, and the handler has not begun.
      if (abortReason) throw abortReason
      return inner()
    }
    const next: Run = () => {
      const result = runNext()
      // A `next()` that is not awaited must not end core: callers can make it fail.
      result.catch(() => {})
      return result
    }
    try {
      return await middleware(call, next)
    } finally {
      if (state === 'running') state = 'ended'
    }
  }

/** Ends a stream that no middleware passed on, because nothing reads it. */
function discardStream(result: unknown): void {
  if (isAsyncIterable(result)) void discard(result)
}
