// Calls of functions that one frontend exposes, and the streams that are their results. Its answers are untrusted: each settles the call
// that it names, once, and nothing else.
import {
  BusError,
  createCallPromise,
  describeName,
  ERROR_CODES,
  findPlace,
  fromCausedErrorObject,
  toErrorObject,
} from '@sallyport/protocol/internal/errors'
import {
  checkDeadline,
  createProgress,
  FIRST_CORE_CHANNEL,
  checkNamedArguments,
  getRequestId,
  isBytes,
  METHOD,
  parseResponse,
  toChannelReference,
  STREAM_METHOD,
  watchDeadline,
} from '@sallyport/protocol/internal/message'
import {
  checkTransfer,
  isStream,
  PendingCalls,
  ReadAhead,
  type ReadAheadCaller,
  ReceivedStream,
  SentStreams,
  traceCaller,
} from '@sallyport/protocol/internal/rpc'
import { onNextTick } from '@sallyport/protocol/internal/util'
import { MAX_CHANNELS, MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import type {
  CallOptions,
  CallProgress,
  ResponseMessage,
  TraceContext,
  TransferOptions,
} from '@sallyport/protocol/internal/message'
import type { CallTrace, StreamCaller } from '@sallyport/protocol/internal/rpc'
import { checkFrontendCall, describeFunction } from '../api/frontend-call.js'
import { COUNT } from '../shared/metrics.js'
import { type ChannelTarget, forwardChannel, isChannel, toChannelTarget } from './channels/forward-channel.js'
import { frontendCalls, type TraceSource } from './tracing.js'
import type { SessionWriter } from './writing/writer.js'

type Settle = { resolve(result: unknown): void; reject(error: BusError): void }

type CallWriter = Pick<SessionWriter, 'request' | 'send' | 'error'>

export class FrontendCalls implements StreamCaller, ReadAheadCaller {
  /** The streams among the arguments of these calls. */
  readonly sentStreams: SentStreams = new SentStreams()
  readonly #traceSource: TraceSource
  readonly #writer: CallWriter
  readonly #counts: Float64Array
  readonly #warn: (text: string) => void
  readonly #pending: PendingCalls
  readonly #getTotal: () => number
  /** Ends the frontend for a violation of the protocol. */
  readonly violated: (error: BusError) => void
  /** Open the results of calls that can be streams, by the ids of the calls. */
  readonly #openers = new Map<unknown, (stream: number) => ReceivedStream>()
  readonly #results = new Set<ReceivedStream>()
  #nextChannel = FIRST_CORE_CHANNEL
  #isConnected = true

  /**
   * @param getTotal - returns the number of streams and channels that count for one limit
   * @param violated - ends the frontend, which has violated the protocol
   */
  constructor(
    traceSource: TraceSource,
    writer: CallWriter,
    counts: Float64Array,
    warn: (text: string) => void,
    getTotal: () => number = () => this.streamCount,
    violated: (error: BusError) => void = () => {},
  ) {
    this.#getTotal = getTotal
    this.violated = violated
    this.#traceSource = traceSource
    this.#writer = writer
    this.#counts = counts
    this.#warn = warn
    this.#pending = new PendingCalls(id => {
      if (this.#isConnected) writer.send({ jsonrpc: '2.0', method: METHOD.cancel, params: { id } })
    })
  }

  /** The number of open streams that are results. */
  get streamCount(): number {
    return this.#results.size
  }

  /**
   * @param context trace context of the call that this one is made for
   * @param defaultTimeout milliseconds, or false for none, for a call whose options have no timeout. A stream has to begin until then
   * @param canStream - the result can be a `ReceivedStream`, whose end the deadline and the signal of `options` still concern
   */
  call(
    name: string,
    args: unknown,
    callOptions?: CallOptions & TransferOptions,
    context?: TraceContext,
    defaultTimeout?: number | false,
    canStream = false,
  ): Promise<unknown> {
    let streams: Record<string, number> | undefined
    let channels: readonly OpenChannel[] = []
    let progress: CallProgress | undefined
    const answer = createCallPromise((resolve, reject) => {
      checkCall(name, args, callOptions)
      progress = createProgress(callOptions?.timeout)
      const options = progress ? { ...callOptions, timeout: progress } : callOptions
      if (this.#pending.isFull()) throw createLimitError()
      let params = args ?? undefined
      if (holdsMember(params, isStream)) streams = this.sentStreams.replace(name, (params = { ...params }))
      let declared = streams
      if (holdsMember(params, isChannel)) {
        // Before they are found, which binds them to this call.
        const count = Object.values(params).filter(isChannel).length
        if (this.#getTotal() + count > MAX_CHANNELS) throw createStreamLimitError()
        const targets = findChannels(params)
        channels = targets.map(([argument, target]) => ({ argument, target, id: this.#takeChannelId() }))
        const ids = channels.map(({ argument, id }) => [argument, id] as const)
        params = { ...params, ...Object.fromEntries(ids.map(([name, id]) => [name, toChannelReference(id)])) }
        declared = { ...streams, ...Object.fromEntries(ids) }
      }
      const id = this.#pending.takeId()
      const [onResult, onError] =
        channels.length > 0 ? [afterMessages(resolve), afterMessages(reject)] : [resolve, reject]
      const send = (done: typeof resolve, fail: (error: BusError) => void, sentContext?: TraceContext): void => {
        this.#writer.request(id, name, params, options?.transfer, sentContext, declared)
        if (streams && progress) this.sentStreams.watch(streams, progress)
        if (!canStream) return this.#pending.add(id, name, done, fail, options, defaultTimeout)
        const settle = this.#acceptStream(id, name, options, progress, { resolve: done, reject: fail })
        this.#pending.add(
          id,
          name,
          settle.resolve,
          settle.reject,
          undefined,
          options?.timeout === undefined && defaultTimeout,
        )
      }
      if (!frontendCalls.hasSubscribers) return send(onResult, onError, context)
      const { label, codec } = this.#traceSource
      const trace: CallTrace = { label, command: name, id, codec, stream: false, ...context }
      traceCaller(frontendCalls, trace, onResult, onError, (done, fail) => send(done, fail, trace))
    })
    for (const { target, id } of channels) this.#forward(target, id, answer, progress)
    if (streams) {
      const end = (): void => this.sentStreams.closeAll(streams!)
      answer.then(result => (result instanceof ReceivedStream ? ReceivedStream.whenOver(result, end) : end()), end)
    }
    return answer
  }

  get receivedBytes(): number {
    return this.#counts[COUNT.bytesIn]!
  }

  /** Streams must leave room for calls. */
  get canReadAhead(): boolean {
    return this.#pending.size < MAX_IN_FLIGHT / 2
  }

  /** Requests the next value of a stream that the frontend has passed to a command, or has returned. There is no deadline: a source can be slow. */
  pull(stream: number, signal: AbortSignal, ahead?: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#pending.isFull()) throw createLimitError()
      const id = this.#pending.takeId()
      this.#writer.request(
        id,
        STREAM_METHOD.next,
        { stream, ...(ahead !== undefined && { ahead }) },
        undefined,
        undefined,
      )
      this.#pending.add(id, STREAM_METHOD.next, resolve, reject, { signal })
    })
  }

  #takeChannelId(): number {
    const id = this.#nextChannel++
    if (this.#nextChannel === 2 * FIRST_CORE_CHANNEL) this.#nextChannel = FIRST_CORE_CHANNEL
    return id
  }

  /** Sends on a channel what the frontend sends, until one of them ends it, or the call fails. */
  #forward(target: ChannelTarget, id: number, answer: Promise<unknown>, progress: CallProgress | undefined): void {
    const stream = new ReceivedStream(id, this, new ReadAhead(id, this, progress))
    this.#results.add(stream)
    ReceivedStream.whenOver(stream, () => this.#results.delete(stream))
    answer.catch(() => void stream.return())
    void forwardChannel(stream, target)
  }

  /** Notifies the frontend that no more values of a stream are read. */
  stop(stream: number): void {
    if (this.#isConnected) this.#writer.send({ jsonrpc: '2.0', method: STREAM_METHOD.return, params: { stream } })
  }

  /** Settles the call that the frontend answers. An invalid answer is reported with the id `null`: ids here are core's own. */
  settle(message: unknown): void {
    try {
      this.#settle(message)
    } catch (error) {
      this.#writer.error(null, '', error as BusError)
      this.#warn((error as BusError).message)
    }
  }

  /** The link has closed. Calls wait for `end`, their deadlines or their signals. */
  disconnect(): void {
    this.#isConnected = false
  }

  end(reason: string, cause: BusError | undefined, delivered: 'no' | 'unknown'): void {
    const createError = (): BusError => new BusError('Disconnected', reason, { data: { delivered }, cause })
    this.#pending.rejectAll(createError)
    for (const stream of this.#results) ReceivedStream.end(stream, createError())
  }

  /** Drops a late answer. A malformed one rejects the call that it names. @throws {BusError} `InvalidRequest` */
  #settle(message: unknown): void {
    let answer: ResponseMessage
    try {
      answer = parseResponse(message)
    } catch (error) {
      const id = getRequestId(message)
      if (id !== null) this.#pending.settle({ jsonrpc: '2.0', id, error: toErrorObject(error as BusError) })
      throw error
    }
    // What a function that runs has not delivered is another call.
    if ('error' in answer && answer.error.code === ERROR_CODES.Disconnected) {
      answer.error.data = { ...Object(answer.error.data), delivered: 'unknown' }
    }
    if (!this.#pending.hasIssued(answer.id)) {
      throw new BusError('InvalidRequest', 'Invalid Request: an answer to a call that was never made')
    }
    if (!this.#pending.settle(answer.stream === undefined ? answer : this.#openResult(answer, answer.stream))) {
      this.#counts[COUNT.late]! += 1
      return
    }
    const text = 'error' in answer && describeThrownError(fromCausedErrorObject(answer.error))
    if (text) this.#warn(text)
  }

  /** Returns the answer with the stream that is its result, or with an error instead of a stream that nobody will read. */
  #openResult(answer: ResponseMessage, stream: number): ResponseMessage {
    const open = this.#openers.get(answer.id)
    if (open && 'result' in answer && this.#getTotal() < MAX_CHANNELS) return { ...answer, result: open(stream) }
    this.stop(stream)
    if ('error' in answer) return answer
    const error = open ? createStreamLimitError() : createNotReadError()
    return { jsonrpc: '2.0', id: answer.id, error: toErrorObject(error) }
  }

  /** Lets a call have a stream as its result. Returns its callbacks, for the call alone: deadline and signal concern the stream, too. */
  #acceptStream(
    id: number,
    name: string,
    { signal, timeout }: CallOptions = {},
    progress: CallProgress | undefined,
    { resolve, reject }: Settle,
  ): Settle {
    let stop: ((error: BusError) => void) | undefined
    const stopWatching = watchDeadline(describeFunction(name), { signal, timeout }, error => {
      this.#pending.abandon(id, error)
      stop?.(error)
    })
    this.#openers.set(id, streamId => {
      const stream = new ReceivedStream(streamId, this, new ReadAhead(streamId, this, progress))
      this.#results.add(stream)
      stop = error => {
        ReceivedStream.end(stream, error)
        this.stop(streamId)
      }
      ReceivedStream.whenOver(stream, () => {
        stopWatching()
        this.#results.delete(stream)
      })
      return stream
    })
    const settled = (result?: unknown): void => {
      this.#openers.delete(id)
      if (!(result instanceof ReceivedStream)) stopWatching()
    }
    return {
      resolve: result => {
        settled(result)
        resolve(result)
      },
      reject: error => {
        settled()
        reject(error)
      },
    }
  }
}

interface OpenChannel {
  readonly argument: string
  readonly target: ChannelTarget
  readonly id: number
}

const findChannels = (args: Record<string, unknown>): [name: string, ChannelTarget][] =>
  Object.entries(args).flatMap(([name, value]): [string, ChannelTarget][] =>
    isChannel(value) ? [[name, toChannelTarget(value)]] : [],
  )

/** Settles a call once the promises that pass on the messages before its answer have settled, or wait for room in their channel. */
const afterMessages =
  <T>(settle: (outcome: T) => void) =>
  (outcome: T): void =>
    onNextTick(() => settle(outcome))

const createStreamLimitError = (): BusError =>
  new BusError('Overloaded', `More than ${MAX_CHANNELS} channels and streams of one frontend are open`)

const createNotReadError = (): BusError =>
  new BusError('InvalidRequest', 'The result is a stream, not one value. Read it with stream instead of call')

/**
 * Says in one line what kind of error a function threw, and where. Its message can have what it was called with, which no log has.
 * `undefined` for what is no `Error`, and for an error that it threw on purpose.
 */
function describeThrownError({ reason, commandCode, cause }: BusError): string | undefined {
  if (reason !== 'CommandFailed' || commandCode !== undefined || !(cause instanceof Error)) return undefined
  const place = findPlace(cause.stack ?? '')
  return `a function threw ${describeName(cause.name)}${place && ` (${place})`}`
}

const createLimitError = (): BusError =>
  new BusError('Overloaded', `More than ${MAX_IN_FLIGHT} calls to one frontend are in flight`)

const holdsMember = (args: unknown, test: (value: unknown) => boolean): args is Record<string, unknown> =>
  typeof args === 'object' && args !== null && !isBytes(args) && Object.values(args).some(test)

function checkCall(name: unknown, args: unknown, options: (CallOptions & TransferOptions) | undefined): void {
  if (typeof name !== 'string' || name === '' || name.startsWith('$/')) {
    const actual = typeof name === 'string' ? JSON.stringify(name) : typeof name
    throw new BusError('InvalidParams', `The name of a frontend's function must be a non-empty string: got ${actual}`)
  }
  checkFrontendCall(name, args, options)
  if (options !== undefined) checkDeadline(describeFunction(name), options, true)
  if (options) checkTransfer(options, args)
  if (args !== undefined && args !== null && !isBytes(args)) checkNamedArguments(name, args)
}
