// The functions that a frontend exposes. A call of a function that is not exposed yet waits until the frontend's module has loaded.
import {
  BusError,
  describeCommand,
  describeName,
  type ErrorObject,
  notSerializable,
  type toBusError,
  toErrorObject,
  withoutData,
} from '@sallyport/protocol/internal/errors'
import { STREAM_METHOD, type StreamParams } from '@sallyport/protocol/internal/message'
import {
  CallSlots,
  endStreams,
  isStream,
  receiveChannels,
  SentStreams,
  traceRun,
} from '@sallyport/protocol/internal/rpc'
import { discard, isThenable, queueMicrotask } from '@sallyport/protocol/internal/util'
import type { Message, RequestId, RequestMessage } from '@sallyport/protocol/internal/message'
import type { CallTrace, Outcome } from '@sallyport/protocol/internal/rpc'
import { EXPOSE_REMEDIES, exposedCalls, toCausedErrorObject } from '#node-features'

/** The second argument of an exposed function. */
export interface ExposedContext {
  /** Aborts when the caller cancels the call, or the link to core closes. */
  readonly signal: AbortSignal
}

/** Exposed functions by name. They take named arguments (or bytes, if the caller sent only bytes). */
export type ExposedFunctions = Readonly<Record<string, (args: never, ctx: ExposedContext) => unknown>>

/** Removes the functions that `expose` added. Its type names these functions for `createBus`. */
export interface Exposed<Functions = ExposedFunctions> {
  /** Removes the functions. */
  (): void
  /** Exists as a type only. */
  readonly functions?: Functions
}

/** Sends the response to a call. Returns its bytes. Throws what the codec throws if the response cannot be serialized. */
export type SendResponse = (response: Message) => number

interface Frontend extends Pick<CallTrace, 'label' | 'codec'> {
  /** Returns the error of a call whose function has thrown. */
  readonly toError: typeof toBusError
}

type Run = (args: unknown, ctx: ExposedContext) => unknown

class RunningCall implements ExposedContext {
  /** Set once the caller does not wait for the response any more. */
  abortReason: BusError | undefined
  #controller: AbortController | undefined

  /** Ends the stream that is its result: the call lasts as long. */
  closeStream: (() => void) | undefined

  /** @param params - the arguments, whose streams end with the call */
  constructor(
    readonly id: RequestId,
    readonly params: unknown,
  ) {}

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal
  }

  /** A static method: the function gets the call as its context, and must not abort it. */
  static abort(call: RunningCall, reason: BusError): void {
    endStreams(call.params, reason)
    call.abortReason = reason
    call.#controller ??= new AbortController()
    call.#controller.abort(reason)
    call.closeStream?.()
  }
}

/** The exposed functions by name, and the calls of them that are running or waiting. */
export class FunctionRegistry {
  readonly #frontend: Frontend
  readonly #sendResponse: SendResponse
  readonly #functions: Map<string, ExposedFunctions[string]>
  /** The streams that are results of these functions, the channels among their arguments, and the streams among the arguments of calls. */
  readonly streams: SentStreams = new SentStreams()
  readonly #running = new CallSlots<RunningCall>()
  /** Calls of functions that were not exposed yet, in order; `undefined` once no more functions will follow. */
  #waiting: Map<RequestId, RequestMessage> | undefined
  /** True if the frontend's module has a default export, as modules of core have. */
  #hasExports = false
  /** Waiting calls will be tried in the next microtask: calls that arrive before then must not overtake them. */
  #isRunDue = false

  constructor(
    frontend: Frontend,
    sendResponse: SendResponse,
    functions: Map<string, ExposedFunctions[string]> = new Map(),
  ) {
    this.#frontend = frontend
    this.#sendResponse = sendResponse
    this.#functions = functions
  }

  /** Returns a registry of the same functions for calls from another core, whose ids are its own. */
  forConnection(sendResponse: SendResponse): FunctionRegistry {
    return new FunctionRegistry(this.#frontend, sendResponse, this.#functions)
  }

  /** Exposes all functions, or none. Returns a function that removes them. @throws {BusError} `InvalidParams` */
  expose(functions: ExposedFunctions): () => void {
    const added = Object.entries(checkFunctions(functions, this.#functions))
    for (const [name, run] of added) this.#functions.set(name, run)
    // Not before this has returned: functions can need what their module declares later.
    if (this.#waiting && this.#waiting.size > 0 && !this.#isRunDue) {
      this.#isRunDue = true
      queueMicrotask(() => this.#runWaiting(this.#waiting && new Map()))
    }
    return () => {
      for (const [name, run] of added) if (this.#functions.get(name) === run) this.#functions.delete(name)
    }
  }

  /** Lets calls of unknown functions wait until `loaded` resolves. If it rejects, the thread ends. */
  waitFor(loaded: Promise<unknown>): void {
    this.#waiting = new Map()
    loaded.then(
      module => {
        if (EXPOSE_REMEDIES) this.#hasExports = Object.keys(Object(module) as object).length > 0
        this.#runWaiting(undefined)
      },
      () => {},
    )
  }

  /** Runs a call, whose streams its connection has replaced. */
  run(message: RequestMessage): void {
    const { id, method } = message
    if (method === STREAM_METHOD.next) {
      // Core requests the next value of a stream, or of a channel.
      return void this.#run(message, params => {
        const { stream, ahead } = params as StreamParams
        return this.streams.next(stream, ahead)
      })
    }
    if (message.channels) receiveChannels(message, this.streams)
    const run = this.#functions.get(method) as Run | undefined
    if (this.#waiting && (!run || this.#isRunDue)) return void this.#waiting.set(id, message)
    if (!exposedCalls?.hasSubscribers) return void this.#run(message, run)
    const { label, codec } = this.#frontend
    const { traceparent, tracestate } = message.headers ?? {}
    const trace = { label, command: method, id, codec, stream: false, traceparent, tracestate }
    traceRun(exposedCalls, trace, () => this.#run(message, run))
  }

  cancel(id: RequestId): void {
    this.#waiting?.delete(id)
    const call = this.#running.take(id)
    if (call) RunningCall.abort(call, new BusError('Cancelled', 'The caller cancelled the call'))
  }

  /** Aborts all calls: their responses could not arrive. The functions stay exposed. */
  disconnected(createReason: () => BusError): void {
    if (this.#waiting) this.#waiting = new Map()
    for (const call of this.#running.takeAll()) RunningCall.abort(call, createReason())
    this.streams.closeAll()
  }

  #run({ id, method, params = {} }: RequestMessage, run: Run | undefined): Outcome | Promise<Outcome> {
    if (!run) return this.#respondError(id, this.#notExposed(method))
    const call = new RunningCall(id, params)
    this.#running.set(id, call)
    try {
      const result = run(params, call)
      if (!isThenable(result)) return this.#succeed(call, method, result)
      return Promise.resolve(result).then(
        value => this.#succeed(call, method, value),
        (error: unknown) => this.#fail(call, method, error),
      )
    } catch (error) {
      return this.#fail(call, method, error)
    }
  }

  /** @param stillWaiting receives the calls whose functions are still not exposed; `undefined` if they fail now */
  #runWaiting(stillWaiting: Map<RequestId, RequestMessage> | undefined): void {
    const calls = this.#waiting
    this.#waiting = stillWaiting
    this.#isRunDue = false
    for (const call of calls?.values() ?? []) this.run(call)
  }

  #succeed(call: RunningCall, method: string, value: unknown): Outcome {
    if (method !== STREAM_METHOD.next && isStream(value)) return this.#respondStream(call, method, value)
    return this.#finish(call) ? this.#respondResult(call, method, value) : call.abortReason
  }

  #fail(call: RunningCall, method: string, thrown: unknown): Outcome {
    if (!this.#finish(call)) return call.abortReason
    return this.#respondError(call.id, this.#frontend.toError(method, thrown), toCausedErrorObject ?? undefined)
  }

  #finish(call: RunningCall): boolean {
    if (this.#running.get(call.id) !== call) return false
    this.#running.take(call.id)
    endStreams(call.params)
    return true
  }

  /** Answers with a stream, which core reads. The call, with its signal and the streams among its arguments, ends with it. */
  #respondStream(call: RunningCall, method: string, source: AsyncIterable<unknown>): Outcome {
    if (this.#running.get(call.id) !== call) {
      void discard(source)
      return call.abortReason
    }
    try {
      const stream = this.streams.add(source, isClosed => {
        if (this.#finish(call) && isClosed) RunningCall.abort(call, createCancelled())
      })
      call.closeStream = () => this.streams.close(stream)
      this.#sendResponse({ jsonrpc: '2.0', id: call.id, result: null, stream })
      return undefined
    } catch (error) {
      return this.#fail(call, method, error)
    }
  }

  /** Sends a result, or an error if the result cannot be serialized. Returns that error. */
  #respondResult({ id, params }: RunningCall, method: string, value: unknown): Outcome {
    const result = value ?? null
    const request = method === STREAM_METHOD.next ? (params as StreamParams) : undefined
    try {
      if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result) {
        throw new TypeError('an async iterable is not a value')
      }
      const bytes = this.#sendResponse({ jsonrpc: '2.0', id, result })
      if (request) this.streams.sent(request, bytes)
      return undefined
    } catch (cause) {
      const error = request
        ? notSerializable('A value of the stream', 'InvalidParams', cause, value)
        : notSerializable(`The result of ${describeCommand(method)}`, 'InternalError', cause, value)
      if (request) this.streams.sent(request, 0, error)
      return this.#respondError(id, error)
    }
  }

  /** Sends an error, without its data if that cannot be serialized. Returns the error that was sent. */
  #respondError(id: RequestId, error: BusError, toObject: (error: BusError) => ErrorObject = toErrorObject): BusError {
    try {
      this.#sendResponse({ jsonrpc: '2.0', id, error: toObject(error) })
      return error
    } catch (cause) {
      const plainError = withoutData(error, 'The error', cause)
      this.#sendResponse({ jsonrpc: '2.0', id, error: toErrorObject(plainError) })
      return plainError
    }
  }

  #notExposed(method: string): BusError {
    const names = [...this.#functions.keys()].slice(0, 10).map(describeName)
    const exposed = names.length === 0 ? 'no functions' : names.join(', ')
    const text = `The frontend exposes no function ${describeName(method)}: it exposes ${exposed}`
    const remedy = EXPOSE_REMEDIES && names.length === 0 && EXPOSE_REMEDIES[this.#hasExports ? 'exports' : 'none']
    return new BusError('MethodNotFound', remedy ? text + remedy : text)
  }
}

function checkFunctions(functions: ExposedFunctions, exposed: ReadonlyMap<string, unknown>): ExposedFunctions {
  if (typeof functions !== 'object' || functions === null)
    throw invalid('takes an object of functions, as in expose({ run() {} })')
  for (const [name, run] of Object.entries(functions)) {
    if (typeof run !== 'function') throw invalid(`${describeName(name)} must be a function: got ${typeof run}`)
    if (name === '' || name.startsWith('$/')) throw invalid(`${describeName(name)} is not a valid name`)
    if (exposed.has(name)) throw invalid(`${describeName(name)} is exposed already`)
  }
  return functions
}

const createCancelled = (): BusError => new BusError('Cancelled', 'The caller reads the stream no more')

const invalid = (problem: string): BusError => new BusError('InvalidParams', `expose: ${problem}`)
