// A client's connection to core over one link: sends calls and events, settles calls, and routes what core sends. When the link
// closes, its calls reject and its channels end. Listeners and exposed functions belong to the client, which can reconnect.
import {
  addTraceContext,
  type CallHeaders,
  type CallMessage,
  checkEventName,
  createProgress,
  type EventParams,
  type EventTarget,
  getRequestId,
  isResponse,
  METHOD,
  type RequestId,
  type RequestMessage,
  STREAM_HEADER,
  TIMEOUT_HEADER,
  toChannelReference,
  type TransferOptions,
} from '@sallyport/protocol/internal/message'
import { BatchReader, type CodecName } from '@sallyport/protocol/internal/codec'
import { BusError, type CauseCode } from '@sallyport/protocol/internal/errors'
import {
  type CallTrace,
  nameCall,
  PendingCalls,
  Streams,
  traceCaller,
  watchReceiver,
  watchSenders,
} from '@sallyport/protocol/internal/rpc'
import { IS_NODE, queueMicrotask } from '@sallyport/protocol/internal/util'
import type { Link, ReceivedFrame } from '@sallyport/protocol/internal/wire'
import {
  checkCallOptions,
  checkCommandName,
  checkEmitOptions,
  findChannels,
  type InvokeOptions,
  prepareCall,
  type PreparedArguments,
  toPlainHeaders,
} from './arguments.js'
import { Channel } from './channel.js'
import type { NodeFlowOptions } from './node-client-queue.js'
import { createQueue, type FunctionRegistry } from '#node-parts'
import { eventBatch, eventsReceived, eventsSent, invokes } from '#node-features'

/** Defaults of all calls over a connection. */
export interface CallDefaults extends NodeFlowOptions {
  /** Deadline in milliseconds of calls that have none of their own. Streams have none by default. */
  timeout?: number | undefined
  /** Sends each call's deadline to core: a network can lose the cancel that follows a timeout. */
  deadlines?: boolean | undefined
}

/** The parts of a client that outlive its connections. */
export interface ConnectionOwner {
  readonly label: string
  readonly codec: CodecName
  /** `disconnected` is called when core has forgotten all listeners. */
  readonly listeners: { isRefused?: boolean; dispatch(params: EventParams): void; disconnected(): void }
  readonly functions: FunctionRegistry
}

/** A call from its caller's arguments to its result. */
export interface OutgoingCall {
  readonly command: string
  readonly args: unknown
  readonly options: InvokeOptions | undefined
  /** Receives the values of a stream. */
  readonly stream: Channel | undefined
  readonly resolve: (result: unknown) => void
  readonly reject: (error: BusError) => void
}

/** A call, and the connection that has sent it. */
export interface SentCall {
  readonly connection: Connection
  readonly id: number
}

/** What makes the calls of a client: its connection, which returns the id of each, or a pool of several. */
export interface Calls {
  call(call: OutgoingCall): number | SentCall
  end(reason: BusError | undefined): void
  close(): Promise<void>
}

/** A call of the bus itself, for a listener. Its arguments are valid, and hold neither bytes nor channels. */
export type InternalCall = Pick<OutgoingCall, 'command' | 'args' | 'resolve' | 'reject'> & {
  readonly headers?: CallHeaders | undefined
}

export type OutgoingEvent = { readonly event: string; readonly payload: unknown; readonly target?: EventTarget }

/** A call that is published to diagnostics channels has its id before it is sent. */
type TracedCall = CallTrace & { readonly id: number }

export class Connection {
  /** Resolves once the link has closed. */
  readonly closed: Promise<void>
  readonly link: Link
  readonly pending: PendingCalls
  /** The streams and channels of this connection's calls and exposed functions. */
  readonly streams: Streams
  readonly #owner: ConnectionOwner
  readonly #defaults: CallDefaults
  readonly #reader = new BatchReader(true)
  readonly #queue: ReturnType<typeof createQueue>
  /** The reason that the last frame was invalid, or that core or the gate gave for closing the link. */
  #fault: BusError | undefined
  #createCloseError: ((delivered: 'no' | 'unknown') => BusError) | undefined
  /** Why it takes no more calls and events. What was sent before goes on. */
  #createSendError: ((delivered: 'no') => BusError) | undefined

  constructor(link: Link, owner: ConnectionOwner, defaults: CallDefaults = {}) {
    this.link = link
    this.#owner = owner
    this.#defaults = defaults
    this.pending = new PendingCalls(id => this.#abandoned(id), defaults.maxInFlight)
    this.#queue = createQueue(link, owner.codec, this.pending, defaults)
    const { functions } = owner
    const toError = (thrown: unknown): BusError => functions.toError('', thrown)
    functions.queue = this.#queue
    this.streams = functions.streams = new Streams({ writer: this.#queue, toError })
    this.closed = new Promise(resolve => {
      link.receive({
        readsImmediately: true,
        frame: this.#receive,
        closed: fault => resolve(this.#end(fault)),
      })
    })
  }

  get isClosed(): boolean {
    return this.#createCloseError !== undefined
  }

  /** Makes a call. Returns its id. @throws {BusError} if the call cannot be sent or queued */
  call(call: OutgoingCall): number {
    if (!invokes?.hasSubscribers) return this.#send(call)
    const { command, stream, options } = call
    checkCommandName(command)
    const { label, codec } = this.#owner
    const id = this.pending.takeId()
    const named = nameCall(command, options?.headers)
    const trace: TracedCall = { label, ...named, id, codec, stream: stream !== undefined }
    return traceCaller(invokes, trace, call.resolve, call.reject, (resolve, reject) =>
      this.#send({ ...call, resolve, reject }, trace),
    )
  }

  /**
   * Makes a call without options, whose arguments are JSON already, for an engine in which the checks of a call take longer than all else.
   * Returns false if it must be made as any other. Not in pages.
   */
  declare callText: (
    command: string,
    params: string,
    resolve: OutgoingCall['resolve'],
    reject: OutgoingCall['reject'],
  ) => boolean

  static {
    if (IS_NODE) {
      Connection.prototype.callText = function (this: Connection, command, params, resolve, reject) {
        if (this.#createSendError || this.#defaults.deadlines) return false
        const id = this.pending.takeId()
        const text = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(command)},"params":${params}}`
        if (!this.#queue.sendCall(text)) return false
        this.pending.add(id, command, resolve, reject, undefined, this.#defaults.timeout)
        return true
      }
    }
  }

  /** Makes a call of the bus itself for a user. @throws {BusError} if it cannot be sent or queued, as the user's own */
  request({ headers, ...call }: InternalCall): void {
    this.#send({ ...call, options: headers && { headers }, stream: undefined })
  }

  /** Makes a call of the bus itself, which is queued if it must be, and never refused. */
  requestInternal({ command, args, headers, resolve, reject }: InternalCall): void {
    const id = this.pending.takeId()
    this.#queue.enqueueInternal({ jsonrpc: '2.0', id, method: command, params: args, ...(headers && { headers }) })
    this.pending.add(id, command, resolve, reject, undefined)
  }

  /** Sends an event. Returns a promise if it was queued or the link has no room: it resolves once both are over. @throws {BusError} */
  emit(method: string, params: OutgoingEvent, options: TransferOptions | undefined): Promise<void> | undefined {
    const { event, payload } = params
    checkEventName(event)
    if (options !== undefined) checkEmitOptions(method, options, payload)
    if (this.#createSendError) {
      if (IS_NODE) this.#defaults.onUnsent?.()
      throw this.#createSendError('no')
    }
    const isSent = eventBatch && method === METHOD.emit && this.#queue.emit(event, payload)
    const queued = isSent ? undefined : this.#queue.enqueue({ jsonrpc: '2.0', method, params }, options?.transfer)
    const sent = queued ? this.#queue.waitForEvent(queued) : this.link.room()
    if (eventsSent?.hasSubscribers) {
      const { label, codec } = this.#owner
      eventsSent.publish({ label, event, codec })
    }
    return sent
  }

  /** Returns the channels that no earlier call has opened. They belong to the next call, and end if it fails. */
  findUnopened(channels: readonly Channel[]): Channel[] {
    return channels.filter(({ id }) => !this.streams.receivers.has(id))
  }

  /** Refuses calls and events from now on. Those that were made before go on. */
  refuse(createError: () => BusError): void {
    this.#createSendError ??= createError
    this.#owner.listeners.isRefused = true
  }

  /** Rejects calls in flight, and refuses later ones. Resolves once all that was sent before has left. */
  async close(): Promise<void> {
    this.#queue.finish()
    this.end(undefined)
    await this.closed
  }

  /** Closes the connection immediately, and rejects its calls with this reason. The link can close later. */
  end(reason: BusError | undefined): void {
    this.link.close()
    this.#end(reason)
  }

  #send(call: OutgoingCall, trace?: TracedCall): number {
    const { command, args, options, stream } = call
    let prepared: PreparedArguments | undefined
    try {
      prepared = prepareCall(command, args, options, this.streams)
      const { params, channels, streams } = prepared
      const opened = channels && this.findUnopened(channels)
      // The id is taken before the arguments are encoded: their `toJSON` can make calls.
      const id = trace?.id ?? this.pending.takeId()
      if (this.#createSendError) throw this.#createSendError('no')
      if (options !== undefined) checkCallOptions(command, options, params)
      // Streams last, and the caller of `listen` watches its deadline itself.
      const defaultTimeout = stream !== undefined || command === METHOD.listen ? undefined : this.#defaults.timeout
      const message = buildMessage(id, call, prepared, trace)
      if (IS_NODE && this.#defaults.deadlines) addDeadline(message, options?.timeout ?? defaultTimeout)
      this.#queue.enqueue(message, options?.transfer)
      // Only now, because the queue counts pending calls: a link never delivers the response within `send`.
      const { resolve, reject } = opened ? this.#endArguments(call, opened, streams) : call
      this.pending.add(
        id,
        command,
        resolve,
        reject,
        IS_NODE && typeof options?.timeout === 'object' ? watchItems(this.streams, options, prepared, stream) : options,
        defaultTimeout,
        stream,
      )
      const open = (channel: Channel): unknown =>
        this.streams.receive(channel.id, Channel.getReceiver(channel), false, id)
      opened?.forEach(open)
      if (stream !== undefined) open(stream)
      return id
    } catch (error) {
      // The channels and streams among the arguments belong to the call: they end if it fails.
      if (prepared?.streams) this.streams.close(prepared.streams)
      finishChannels(this.findUnopened(findChannels(args)))
      throw error
    }
  }

  /** Returns the callbacks of a call that ends the streams among its arguments once it is settled, and its new channels if it fails. */
  #endArguments(
    { resolve, reject }: OutgoingCall,
    opened: readonly Channel[],
    streams: PreparedArguments['streams'],
  ): Pick<OutgoingCall, 'resolve' | 'reject'> {
    return {
      resolve: result => {
        if (streams) this.streams.close(streams)
        resolve(result)
      },
      reject: error => {
        if (streams) this.streams.close(streams)
        finishChannels(opened)
        reject(error)
      },
    }
  }

  #abandoned(id: number): boolean {
    const isUnsent = this.#queue.remove(id)
    if (!isUnsent && !this.isClosed) this.#queue.send({ jsonrpc: '2.0', method: METHOD.cancel, params: { id } })
    // The window has room for a queued call.
    if (!this.#queue.isEmpty) queueMicrotask(() => this.#queue.drain())
    return isUnsent
  }

  readonly #receive = ({ kind, body }: ReceivedFrame): void => {
    if (this.#createCloseError) return
    this.#fault = undefined
    try {
      for (const message of this.#reader.read(kind, body)) this.#route(message)
    } catch (error) {
      // An invalid frame closes the connection, but does not end the thread, which can be the host's.
      this.#fault = error as BusError
      this.link.close()
    }
    if (!this.#queue.isEmpty) this.#queue.drain()
  }

  /** Core is trusted not to be hostile, but it can have bugs: unknown messages are ignored. */
  #route(message: unknown): void {
    if (isResponse(message)) {
      if ('error' in message && message.id === null) this.#fault = new BusError('InvalidRequest', message.error.message)
      return void this.pending.settle(message)
    }
    const { listeners, functions } = this.#owner
    const { id, method, params }: Partial<RequestMessage> = message ?? {}
    if (typeof method !== 'string') return
    // The response repeats the id, so an invalid id must not reach it.
    if (id !== undefined) {
      return getRequestId(message) === null ? undefined : functions.run(message as RequestMessage)
    }
    if (typeof params !== 'object' || params === null) return
    if (method === METHOD.event) {
      if (eventsReceived?.hasSubscribers) this.#traceEvents(params as EventParams)
      listeners.dispatch(params as EventParams)
    } else if (method === METHOD.cancel) functions.cancel((params as { id: RequestId }).id)
    else this.streams.handle(method, params)
  }

  #traceEvents({ event, ...params }: EventParams): void {
    const { label, codec } = this.#owner
    const count = 'payloads' in params && Array.isArray(params.payloads) ? params.payloads.length : 1
    for (let index = 0; index < count; index++) eventsReceived?.publish({ label, event, codec })
  }

  #end(fault: BusError | undefined): void {
    const wasOpen = !this.#createCloseError
    if (!wasOpen && !fault) return
    const cause = fault ?? this.#fault
    const subject = IS_NODE && cause?.reason === 'Disconnected' ? '' : 'The link to core has failed: '
    const problem = cause ? subject + cause.message : 'The link to core is closed'
    // That of a login that was refused is of its own reason.
    const own = cause?.reason === 'Disconnected' ? (Object(cause.data) as { code?: CauseCode }).code : undefined
    const code = cause ? own : 'CLOSED'
    const createError = (delivered: 'no' | 'unknown'): BusError =>
      new BusError('Disconnected', problem, { code, data: { delivered }, ...(cause && { cause }) })
    this.#createCloseError = createError
    this.#createSendError = createError
    if (!wasOpen) return
    this.pending.rejectAll(id => createError(this.#queue.isUnsent(id) ? 'no' : 'unknown'))
    this.#queue.end(() => createError('no'))
    this.#owner.listeners.disconnected()
    this.#owner.functions.disconnected(() => createError('no'))
    this.streams.closeAll()
    for (const receiver of [...this.streams.receivers.values()]) receiver.finish()
  }
}

function watchItems(
  streams: Streams,
  options: InvokeOptions | undefined,
  { channels = [], streams: sent }: PreparedArguments,
  stream: Channel | undefined,
): InvokeOptions | undefined {
  const progress = createProgress(options?.timeout)
  if (!progress) return options
  for (const channel of stream ? [...channels, stream] : channels) watchReceiver(Channel.getReceiver(channel), progress)
  if (sent) watchSenders(streams, sent, progress)
  return { ...options, timeout: progress }
}

function finishChannels(channels: readonly Channel[]): void {
  for (const channel of channels) channel.finish()
}

function buildMessage(
  id: number,
  { command, options, stream }: OutgoingCall,
  { params, declared }: PreparedArguments,
  trace: TracedCall | undefined,
): CallMessage {
  const message: CallMessage = { jsonrpc: '2.0', id, method: command, params }
  if (declared) message.channels = declared
  if (options?.headers !== undefined || stream !== undefined) {
    message.headers = {
      ...(options?.headers && toPlainHeaders(options.headers)),
      ...(stream && { [STREAM_HEADER]: toChannelReference(stream.id) }),
    }
  }
  if (invokes && trace !== undefined) addTraceContext(message, trace)
  return message
}

/** Lets core end the call, too. An idle deadline is the client's alone, and a page has no deadlines in core. */
function addDeadline(message: CallMessage, timeout: InvokeOptions['timeout']): void {
  if (typeof timeout === 'number')
    message.headers = { ...message.headers, [TIMEOUT_HEADER]: String(Math.ceil(timeout)) }
}
