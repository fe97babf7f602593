// Calls of functions that one frontend exposes, and the streams that are their results. Its answers are untrusted: each settles the call
// that it names, once, and nothing else.
import type { Channel as ReceivingChannel } from '@sallyport/frontend/internal'
import {
  BusError,
  type CausedErrorObject,
  createCallPromise,
  describeName,
  ERROR_CODES,
  findPlace,
  fromCausedErrorObject,
  toErrorObject,
} from '@sallyport/protocol/internal/errors'
import {
  type CallOptions,
  type CallProgress,
  checkDeadline,
  checkNamedArguments,
  createProgress,
  getRequestId,
  isBytes,
  METHOD,
  parseResponse,
  type ResponseMessage,
  type TraceContext,
  type TransferOptions,
  watchDeadline,
} from '@sallyport/protocol/internal/message'
import {
  type CallTrace,
  checkTransfer,
  countStreams,
  isStream,
  PendingCalls,
  ReceivedStream,
  type ReplacedArguments,
  SENT,
  StreamReceiver,
  type Streams,
  traceCaller,
  waitForCalls,
  watchReceiver,
  watchSenders,
} from '@sallyport/protocol/internal/rpc'
import { createDeferred, isError, isObject } from '@sallyport/protocol/internal/util'
import { MAX_CHANNELS, MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import { checkFrontendCall, describeFunction } from '../api/frontend-proxy.js'
import { getMovableBuffers } from '../api/transfer.js'
import { COUNT, type Counts } from '../shared/metrics.js'
import { ChannelHandle, createStreamLimitError } from './channels.js'
import { frontendCalls, type TraceSource } from './reports.js'
import type { SessionWriter } from './writer.js'

type Settle = { resolve(result: unknown): void; reject(error: BusError): void }

type CallWriter = Pick<SessionWriter, 'request' | 'send' | 'error'>

export class FrontendCalls {
  readonly #streams: Streams
  readonly #traceSource: TraceSource
  readonly #writer: CallWriter
  readonly #counts: Counts
  readonly #warn: (text: string) => void
  readonly #pending: PendingCalls
  readonly #getTotal: () => number
  /** Open the results of calls that can be streams, by the ids of the calls. */
  readonly #openers = new Map<unknown, (stream: number) => ReceivedStream>()
  readonly #results = new Set<StreamReceiver>()
  #isConnected = true

  /** @param getTotal - returns the number of streams and channels that count for one limit */
  constructor(
    traceSource: TraceSource,
    writer: CallWriter,
    counts: Counts,
    warn: (text: string) => void,
    streams: Streams,
    getTotal: () => number = () => countStreams(streams),
  ) {
    this.#streams = streams
    this.#getTotal = getTotal
    this.#traceSource = traceSource
    this.#writer = writer
    this.#counts = counts
    this.#warn = warn
    this.#pending = new PendingCalls(id => {
      if (this.#isConnected) writer.send({ jsonrpc: '2.0', method: METHOD.cancel, params: { id } })
    })
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
    let replaced: ReplacedArguments | undefined
    const channels: StreamReceiver[] = []
    let progress: CallProgress | undefined
    const answer = createCallPromise((resolve, reject) => {
      checkCall(name, args, callOptions)
      progress = createProgress(callOptions?.timeout)
      const options = progress ? { ...callOptions, timeout: progress } : callOptions
      if (this.#pending.isFull())
        throw new BusError('Overloaded', `More than ${MAX_IN_FLIGHT} calls to one frontend are in flight`, {
          code: 'TOO_MANY_CALLS',
        })
      replaced = this.#replaceStreams(name, args, progress, channels)
      const params = replaced?.params ?? args ?? undefined
      const id = this.#pending.takeId()
      const send = (done: typeof resolve, fail: (error: BusError) => void, sentContext?: TraceContext): void => {
        this.#writer.request(id, name, params, options?.transfer, sentContext, replaced?.declared)
        if (replaced && progress) watchSenders(this.#streams, replaced.streams, progress)
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
      if (!frontendCalls.hasSubscribers) return send(resolve, reject, context)
      const { label, codec } = this.#traceSource
      const trace: CallTrace = { label, command: name, callee: label, id, codec, stream: false, ...context }
      traceCaller(frontendCalls, trace, resolve, reject, (done, fail) => send(done, fail, trace))
    })
    if (!replaced && channels.length === 0) return answer
    const { streams = {} } = replaced ?? {}
    const end = (): void => this.#streams.close(streams)
    answer.then(
      result => (result instanceof ReceivedStream ? ReceivedStream.getReceiver(result).whenOver(end) : end()),
      () => {
        end()
        for (const channel of channels) channel.leave()
      },
    )
    return answer
  }

  /** Opens the streams and channels of the arguments, if there are some. @param channels - to which it adds the receivers of channels */
  #replaceStreams(
    name: string,
    args: unknown,
    progress: CallProgress | undefined,
    channels: StreamReceiver[],
  ): ReplacedArguments | undefined {
    const count = countMembers(args ?? undefined, value => isStream(value) || isChannel(value))
    if (count === 0) return undefined
    if (this.#getTotal() + count > MAX_CHANNELS) throw createStreamLimitError()
    return this.#streams.replace(name, args as Record<string, unknown>, value => {
      if (!isChannel(value)) return undefined
      const channelId = this.#streams.nextId++
      const receiver = this.#streams.receive(channelId, toReceiver(value))
      if (progress) watchReceiver(receiver, progress)
      channels.push(receiver)
      return channelId
    })
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

  /** Resolves once the calls that wait for an answer now have been settled. */
  settled(): Promise<void> {
    return waitForCalls(this.#pending)
  }

  /** The link has closed. Calls wait for `end`, their deadlines or their signals. */
  disconnect(): void {
    this.#isConnected = false
  }

  end(message: string, cause: BusError | undefined, delivered: 'no' | 'unknown'): void {
    const createError = (): BusError => new BusError('Disconnected', message, { data: { delivered }, cause })
    this.#pending.rejectAll(createError)
    for (const stream of this.#results) if (!stream.hasEnded) stream.fail(createError())
    // Channels of calls that were answered before.
    for (const channel of [...this.#streams.receivers.values()]) channel.finish()
  }

  /** Drops a late answer. A malformed one rejects the call that it names. @throws {BusError} `InvalidRequest` */
  #settle(message: unknown): void {
    let answer: ResponseMessage
    try {
      answer = parseResponse(message)
      if (!this.#pending.hasIssued(answer.id)) {
        throw new BusError('InvalidRequest', 'Invalid Request: an answer to a call that was never made')
      }
      if (answer.stream !== undefined) answer = this.#openResult(answer, answer.stream)
    } catch (error) {
      const id = getRequestId(message)
      if (id !== null) this.#pending.settle({ jsonrpc: '2.0', id, error: toErrorObject(error as BusError) })
      throw error
    }
    if ('error' in answer) markDelivery(answer.error)
    if (!this.#pending.settle(answer)) {
      this.#counts[COUNT.late] += 1
      return
    }
    if ('error' in answer) this.failed(fromCausedErrorObject(answer.error))
    else this.#counts[COUNT.succeeded] += 1
  }

  /** A function, or a stream that it has returned, has failed. */
  failed(error: BusError): void {
    const text = describeThrownError(error)
    if (text) this.#warn(text)
  }

  /** Returns the answer with the stream that is its result, or with an error instead of a stream that nobody will read. @throws {BusError} `InvalidRequest` */
  #openResult(answer: ResponseMessage, stream: number): ResponseMessage {
    const open = this.#openers.get(answer.id)
    if (open && 'result' in answer && this.#getTotal() < MAX_CHANNELS) return { ...answer, result: open(stream) }
    this.#streams.receive(stream, new StreamReceiver(), true).close()
    if ('error' in answer) return answer
    const notRead = 'The result is a stream, not one value. Read it with stream instead of call'
    const error = open ? createStreamLimitError() : new BusError('InvalidRequest', notRead)
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
      const receiver = this.#streams.receive(streamId, new StreamReceiver(), true)
      if (progress) watchReceiver(receiver, progress)
      this.#results.add(receiver)
      stop = error => receiver.fail(error)
      receiver.whenOver(() => {
        stopWatching()
        this.#results.delete(receiver)
      })
      return new ReceivedStream(receiver)
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

/** What a function that runs has not delivered is another call. */
function markDelivery(error: CausedErrorObject): void {
  if (error.code === ERROR_CODES.Disconnected)
    error.data = { ...(isObject(error.data) && error.data), delivered: 'unknown' }
}

/**
 * Says in one line what kind of error a function threw, and where. Its message can have what it was called with, which no log has.
 * `undefined` for what is no `Error`, and for an error that it threw on purpose.
 */
function describeThrownError({ reason, commandCode, cause }: BusError): string | undefined {
  if (reason !== 'CommandFailed' || commandCode !== undefined || !isError(cause)) return undefined
  const place = findPlace(cause)
  return `a function threw ${describeName(cause.name)}${place && ` (${place})`}`
}

const countMembers = (args: unknown, test: (value: unknown) => boolean): number =>
  typeof args === 'object' && args !== null && !isBytes(args) ? Object.values(args).filter(test).length : 0

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

const isChannel = (value: unknown): value is ChannelHandle | ReceivingChannel =>
  typeof value === 'object' && value !== null && (value instanceof ChannelHandle || isReceivingChannel(value))

/** The class itself is the frontend's, which core does not load. */
const isReceivingChannel = (value: object): value is ReceivingChannel =>
  'onmessage' in value && typeof (value as { renew?: unknown }).renew === 'function'

/**
 * Returns what takes the messages for a channel among the arguments: core passes them on to another frontend, no faster than they are read, and a channel
 * of this thread takes them itself.
 */
function toReceiver(channel: ChannelHandle | ReceivingChannel): StreamReceiver {
  if (channel instanceof ChannelHandle) return createForwarder(channel)
  const internal = channel as unknown as LocalChannel
  internal.renew()
  return internal.constructor.getReceiver(internal)
}

/** The internal members of a frontend's channel. */
interface LocalChannel {
  readonly constructor: { getReceiver(channel: LocalChannel): StreamReceiver }
  renew(): void
}

class ForwardedReceiver extends StreamReceiver {
  receivedCount = 0

  override receive(params: Parameters<StreamReceiver['receive']>[0]): void {
    if ('messages' in params) this.receivedCount += params.messages.length
    else if ('message' in params) this.receivedCount++
    super.receive(params)
  }
}

function createForwarder(handle: ChannelHandle): StreamReceiver {
  const receiver = new ForwardedReceiver()
  const sender = ChannelHandle.getSender(handle)
  const { held } = sender
  let isWaiting = false
  /** Messages that were sent on, and who waits for those that had arrived. */
  let sentOn = 0
  const waiting: { readonly until: number; readonly resolve: () => void }[] = []
  sender.held = () => {
    if (!receiver.hasMessages) return held?.()
    const { promise, resolve } = createDeferred()
    waiting.push({ until: receiver.receivedCount, resolve })
    return promise.then(() => held?.())
  }
  const goOn = (): void => {
    isWaiting = false
    receiver.arrived!()
  }
  const close = (): void => {
    receiver.close()
    // It can have ended before, and says nothing then.
    goOn()
  }
  receiver.arrived = (): void => {
    while (!isWaiting && receiver.hasMessages) {
      const message = receiver.take()
      const transfer = getMovableBuffers(message)
      const sent = sender.send(message, transfer.length > 0 ? transfer : undefined)
      sentOn++
      while (waiting[0] && waiting[0].until <= sentOn) waiting.shift()!.resolve()
      if (sent === SENT) continue
      isWaiting = true
      sent.then(goOn, close)
    }
    // What was dropped is not sent on.
    if (!receiver.hasMessages) for (const { resolve } of waiting.splice(0)) resolve()
    if (!isWaiting && receiver.hasEnded) handle.end()
  }
  handle.signal.addEventListener('abort', close, { once: true })
  return receiver
}
