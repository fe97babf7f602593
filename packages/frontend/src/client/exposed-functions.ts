// The functions that a frontend exposes.
import {
  BusError,
  createCancelledError,
  describeCommand,
  describeName,
  type ErrorObject,
  notSerializable,
  type toBusError,
  toErrorObject,
  toSentErrorObject,
  withoutData,
} from '@sallyport/protocol/internal/errors'
import {
  awaitSent,
  CallSlots,
  isStream,
  receiveArguments,
  type StreamArgument,
  type StreamSender,
  type Streams,
  traceRun,
} from '@sallyport/protocol/internal/rpc'
import { discard, IS_NODE, isThenable } from '@sallyport/protocol/internal/util'
import type { Message, RequestId, RequestMessage } from '@sallyport/protocol/internal/message'
import type { CallTrace, Outcome } from '@sallyport/protocol/internal/rpc'
import { exposedCalls } from '#node-features'

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

type ResponseQueue = { sendNow(response: Message): void }

export interface ExposingFrontend extends Pick<CallTrace, 'label' | 'codec'> {
  /** Returns the error of a call whose function has thrown. */
  readonly toError: typeof toBusError
}

export type FunctionsByName = Map<string, ExposedFunctions[string]>

type Run = (args: unknown, ctx: ExposedContext) => unknown

class RunningCall implements ExposedContext {
  /** Set once the caller does not wait for the response any more. */
  abortReason: BusError | undefined
  #controller: AbortController | undefined

  /** The stream that is its result: the call lasts as long. */
  result: StreamSender | undefined

  /** @param streams - those among the arguments, and the channels */
  constructor(
    readonly id: RequestId,
    readonly streams: readonly StreamArgument[],
  ) {}

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal
  }

  static endStreams({ streams }: RunningCall, reason?: BusError): void {
    for (const stream of streams) stream.fail?.(reason)
  }

  /** A static method: the function gets the call as its context, and must not abort it. */
  static abort(call: RunningCall, reason: BusError): void {
    RunningCall.endStreams(call, reason)
    call.abortReason = reason
    call.#controller ??= new AbortController()
    call.#controller.abort(reason)
    call.result?.abandon()
  }
}

export type RunningCalls = CallSlots<RunningCall>

/** The exposed functions by name, and the calls of them that are running. */
export class FunctionRegistry {
  readonly #frontend: ExposingFrontend
  readonly #functions: FunctionsByName
  /** Those of the connection. */
  streams!: Streams
  queue!: ResponseQueue
  readonly #running: RunningCalls

  constructor(
    frontend: ExposingFrontend,
    functions: FunctionsByName = new Map(),
    running: RunningCalls = new CallSlots(),
  ) {
    this.#frontend = frontend
    this.#functions = functions
    this.#running = running
  }

  /** Exposes all functions, or none. Returns a function that removes them. @throws {BusError} `InvalidParams` */
  expose(functions: ExposedFunctions): () => void {
    const added = Object.entries(checkFunctions(functions, this.#functions))
    for (const [name, run] of added) this.#functions.set(name, run)
    return () => {
      for (const [name, run] of added) if (this.#functions.get(name) === run) this.#functions.delete(name)
    }
  }

  /** Returns the error of a call, or of a stream, whose function has thrown. */
  get toError(): ExposingFrontend['toError'] {
    return this.#frontend.toError
  }

  run(message: RequestMessage): void {
    const { id, method } = message
    const run = this.#functions.get(method) as Run | undefined
    if (!exposedCalls?.hasSubscribers) return void this.#run(message, run)
    const { label, codec } = this.#frontend
    const { traceparent, tracestate } = message.headers ?? {}
    const trace = { label, command: method, id, codec, stream: false, traceparent, tracestate }
    traceRun(exposedCalls, trace, () => this.#run(message, run))
  }

  cancel(id: RequestId): void {
    const call = this.#running.take(id)
    if (call) RunningCall.abort(call, createCancelledError())
  }

  /** Aborts all calls: their responses could not arrive. The functions stay exposed. */
  disconnected(createReason: () => BusError): void {
    for (const call of this.#running.takeAll()) RunningCall.abort(call, createReason())
  }

  #run(message: RequestMessage, run: Run | undefined): Outcome | Promise<Outcome> {
    const { id, method, params = {} } = message
    if (!run) return this.#respondError(id, this.notExposed(method))
    const call = new RunningCall(id, message.channels ? receiveArguments(message, this.streams) : [])
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

  #succeed(call: RunningCall, method: string, value: unknown): Outcome | Promise<Outcome> {
    if (isStream(value)) return this.#respondStream(call, method, value)
    // A page lives on, and so do its channels.
    const sent = IS_NODE && awaitSent(call.streams)
    if (!sent) return this.#finish(call) ? this.#respondResult(call, method, value) : call.abortReason
    return sent.then(
      () => this.#succeed(call, method, value),
      (error: unknown) => this.#fail(call, method, error),
    )
  }

  #fail(call: RunningCall, method: string, thrown: unknown): Outcome {
    if (!this.#finish(call)) return call.abortReason
    return this.#respondError(call.id, this.#frontend.toError(method, thrown), toSentErrorObject)
  }

  #finish(call: RunningCall): boolean {
    if (this.#running.get(call.id) !== call) return false
    this.#running.take(call.id)
    RunningCall.endStreams(call)
    return true
  }

  /** Answers with a stream, which core reads. The call, with its signal and the streams among its arguments, ends with it. */
  #respondStream(call: RunningCall, method: string, source: AsyncIterable<unknown>): Outcome {
    if (this.#running.get(call.id) !== call) {
      void discard(source)
      return call.abortReason
    }
    try {
      call.result = this.streams.add(source, isClosed => {
        if (this.#finish(call) && isClosed) RunningCall.abort(call, createCancelledError())
      })
      this.queue.sendNow({ jsonrpc: '2.0', id: call.id, result: null, stream: call.result.id })
      return undefined
    } catch (error) {
      return this.#fail(call, method, error)
    }
  }

  #respondResult({ id }: RunningCall, method: string, value: unknown): Outcome {
    const result = value ?? null
    try {
      this.queue.sendNow({ jsonrpc: '2.0', id, result })
      return undefined
    } catch (cause) {
      const subject = `The result of ${describeCommand(method)}`
      return this.#respondError(id, notSerializable(subject, 'InternalError', cause, value))
    }
  }

  #respondError(id: RequestId, error: BusError, toObject: (error: BusError) => ErrorObject = toErrorObject): BusError {
    return sendError(this.queue, object => ({ jsonrpc: '2.0', id, error: object }), error, toObject)
  }

  protected notExposed(method: string): BusError {
    return new BusError('MethodNotFound', `The frontend exposes no function ${describeName(method)}`)
  }
}

/** Sends an error, without its data if that cannot be serialized. Returns the error that was sent. */
export function sendError(
  queue: ResponseQueue,
  createMessage: (object: ErrorObject) => Message,
  error: BusError,
  toObject: (error: BusError) => ErrorObject,
): BusError {
  try {
    queue.sendNow(createMessage(toObject(error)))
    return error
  } catch (cause) {
    const plainError = withoutData(error, 'The error', cause)
    queue.sendNow(createMessage(toErrorObject(plainError)))
    return plainError
  }
}

function checkFunctions(functions: ExposedFunctions, exposed: ReadonlyMap<string, unknown>): ExposedFunctions {
  if (typeof functions !== 'object' || functions === null)
    throw invalid('takes an object of functions, as in expose({ run() {} })')
  for (const [name, run] of Object.entries(functions)) {
    if (typeof run !== 'function') throw invalid(`${describeName(name)} must be a function: got ${typeof run}`)
    if (name === '' || name.startsWith('$/')) throw invalid(`${describeName(name)} is empty or begins with "$/"`)
    if (exposed.has(name)) throw invalid(`${describeName(name)} is exposed already`)
  }
  return functions
}

const invalid = (problem: string): BusError => new BusError('InvalidParams', `expose: ${problem}`)
