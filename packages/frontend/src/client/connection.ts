// One end of a link to core, as a client uses it: what goes out is numbered, encoded and kept until it is answered, and what
// comes in finds its way; with the link all of it ends. What outlasts a link is the client's: listeners, and what it exposes.
import {
  addTraceContext,
  BatchReader,
  BusError,
  type CallHeaders,
  type CallMessage,
  type ChannelParams,
  type CodecName,
  createOutbox,
  type EventParams,
  getRequestId,
  isResponse,
  type Link,
  METHOD,
  type Outbox,
  PendingCalls,
  type ReceivedFrame,
  type RequestId,
  type RequestMessage,
  STREAM_HEADER,
  TIMEOUT_HEADER,
  type TraceContext,
} from '@sallyport/protocol'
import { type Channel, OpenChannels } from './channel.js'
import { eventsReceived } from './diagnostics.js'
import { postCall, postError, postResult } from './encode.js'
import type { Exposed } from './exposed-functions.js'
import type { Listeners } from './listeners.js'
import { checkCallOptions, type InvokeOptions, plainHeaders } from './options.js'
import { type FlowOptions, SendQueue } from './send-queue.js'

// What comes in to a client, and whose it is: a call's that waits, a listener's, a channel's, or a call of what is exposed.
// Core is trusted not to be hostile, but not to be without bugs: what is none of these is dropped.

export interface IncomingDeps {
  label: string
  codec: CodecName
  link: Link
  pending: PendingCalls
  listeners: Listeners
  channels: OpenChannels
  exposed: Exposed
}

export class Incoming {
  readonly #parts: IncomingDeps
  readonly #reader = new BatchReader(true)
  /** What was wrong with the last frame, or what core or the gate said was wrong with one of this side. */
  fault: BusError | undefined

  constructor(parts: IncomingDeps) {
    this.#parts = parts
  }

  receive({ kind, body }: ReceivedFrame): void {
    this.fault = undefined
    try {
      for (const message of this.#reader.read(kind, body)) this.#take(message)
    } catch (error) {
      // As everywhere, a bad frame closes the session. It must not end the thread, which may be the host's.
      this.fault = error as BusError
      this.#parts.link.close()
    }
  }

  #take(message: unknown): void {
    const { pending, listeners, channels, exposed } = this.#parts
    if (isResponse(message)) {
      if ('error' in message && message.id === null) this.fault = new BusError('InvalidRequest', message.error.message)
      return void pending.settle(message)
    }
    const { id, method, params } = (message ?? {}) as Partial<RequestMessage>
    if (typeof method !== 'string') return
    // An answer carries the id back, at once or later: one that is none must not reach it.
    if (id !== undefined) return getRequestId(message) === null ? undefined : exposed.take(message as RequestMessage)
    if (typeof params !== 'object' || params === null) return
    if (method === METHOD.event) {
      if (eventsReceived.hasSubscribers) this.#tell(params as EventParams)
      listeners.dispatch(params as EventParams)
    } else if (method === METHOD.channel) channels.receive(params as ChannelParams)
    else if (method === METHOD.cancel) exposed.cancel((params as { id: RequestId }).id)
  }

  /** Of each event of a run. */
  #tell({ event, ...params }: EventParams): void {
    const { label, codec } = this.#parts
    const count = 'payloads' in params && Array.isArray(params.payloads) ? params.payloads.length : 1
    for (let told = 0; told < count; told++) eventsReceived.publish({ label, event, codec })
  }
}

/** What a client keeps from one link to the next. */
export interface ReconnectOptions {
  readonly label: string
  readonly listeners: Listeners
  readonly exposed: Exposed
}

/** Of all calls over it. */
export interface CallDefaults extends FlowOptions {
  /** The deadline in milliseconds of calls that have none of their own; none by default. Streams may take longer. */
  timeout?: number | undefined
  /** @internal Core is told of each deadline: over a network. */
  deadlines?: boolean | undefined
}

/** A call that somebody hears of: what is known of it before it is made. */
export interface TracedCall extends TraceContext {
  readonly id: number
}

export class Connection {
  /** Resolves once the link has closed, whoever closed it. */
  readonly closed: Promise<void>
  readonly pending: PendingCalls
  /** Core knows of the listeners, if of any, by this link. */
  holdsListeners = true
  readonly channels: OpenChannels = new OpenChannels((...told) => this.#tell(...told))
  readonly #lasting: ReconnectOptions
  readonly #codec: CodecName
  readonly #timeout: number | undefined
  readonly #tellsDeadlines: boolean
  readonly #link: Link
  readonly #outbox: Outbox
  readonly #incoming: Incoming
  readonly #line: SendQueue
  #gone: BusError | undefined

  constructor(link: Link, codec: CodecName, lasting: ReconnectOptions, defaults: CallDefaults = {}) {
    // Here, for a declaration repeats the names that it takes apart, and one of them is internal.
    const { timeout, deadlines = false, ...flow } = defaults
    this.#codec = codec
    this.#timeout = timeout
    this.#tellsDeadlines = deadlines
    this.#lasting = lasting
    this.#link = link
    this.#outbox = createOutbox(
      (kind, body) => link.send({ kind, body }),
      // The more calls wait already, the larger the frames that pay.
      () => link.frameMessages && Math.max(link.frameMessages, this.pending.size >> 3),
    )
    this.pending = new PendingCalls(id => this.#abandoned(id), flow.window)
    this.#line = new SendQueue({ link, outbox: this.#outbox, pending: this.pending }, flow)
    const { pending, channels } = this
    this.#incoming = new Incoming({ ...lasting, link, codec, pending, channels })
    this.closed = new Promise(resolve => {
      link.receive({
        frame: frame => {
          if (this.#gone) return
          this.#incoming.receive(frame)
          if (this.#line.waits) this.#line.drain()
        },
        closed: fault => resolve(this.#end(fault)),
      })
    })
  }

  get isGone(): boolean {
    return this.#gone !== undefined
  }

  isOver(link: Link): boolean {
    return this.#link === link
  }

  /** Answers a call of core's. */
  answer(id: RequestId, method: string, value: unknown): BusError | undefined {
    return postResult(this.#outbox, this.#codec, id, method, value)
  }

  refuse(id: RequestId, error: BusError): BusError {
    return postError(this.#outbox, this.#codec, id, error)
  }

  /**
   * Sends a request, and gives its id.
   *
   * @param bytes whether bytes are among `params` where they are looked for
   * @param stream where the values of a stream are to come
   * @param traced where somebody hears of it; its id is the next otherwise
   */
  request(
    method: string,
    params: unknown,
    bytes: boolean,
    resolve: (result: unknown) => void,
    reject: (error: BusError) => void,
    options?: InvokeOptions,
    stream?: Channel,
    traced?: TracedCall,
  ): number {
    const id = traced?.id ?? this.pending.takeId()
    if (this.#gone) throw new BusError('Disconnected', this.#gone.message, { data: { delivered: 'no' } })
    if (options !== undefined) checkCallOptions(method, options, params)
    const waits = this.#line.holdsCalls
    const way = waits ? this.#line.enqueue(id) : this.#outbox
    const message: CallMessage = { jsonrpc: '2.0', id, method, params }
    if (options?.headers !== undefined) message.headers = plainHeaders(options.headers)
    const usual = this.#usual(method, stream)
    if (this.#tellsDeadlines) addDeadline(message, options?.timeout ?? usual)
    if (traced !== undefined) addTraceContext(message, traced)
    if (stream !== undefined) message.headers = { ...message.headers, [STREAM_HEADER]: stream.toJSON() }
    postCall(way, this.#codec, message, bytes, options?.transfer)
    this.pending.add(id, method, resolve, reject, options, usual)
    if (stream !== undefined) this.channels.adopt(stream, id)
    return id
  }

  /** A request of the bus's own, for a listener that there is or was: it waits where it must, and is never refused. */
  keep(
    method: string,
    params: object,
    resolve: (result: unknown) => void,
    reject: (error: BusError) => void,
    headers?: CallHeaders,
  ): void {
    const waits = this.#line.holdsCalls
    const id = this.pending.takeId()
    const message: CallMessage = { jsonrpc: '2.0', id, method, params, ...(headers && { headers }) }
    postCall(waits ? this.#line.enqueueInternal(id) : this.#outbox, this.#codec, message, false)
    this.pending.add(id, method, resolve, reject, undefined)
  }

  /** The deadline of such a call, where it has none of its own: a stream lasts, and a listener has been seen to. */
  #usual(method: string, stream: Channel | undefined): number | undefined {
    return this.#timeout === undefined || stream || method === METHOD.listen ? undefined : this.#timeout
  }

  /** Sends an event. It resolves once it has gone, and there is room for more: at once where nothing is given. */
  emit(
    method: string,
    params: object,
    bytes: boolean,
    transfer: readonly ArrayBufferLike[] | undefined,
  ): Promise<void> | undefined {
    if (this.#gone) throw this.#gone
    const waits = this.#line.holdsEvents
    const way = waits ? this.#line.enqueue(undefined) : this.#outbox
    postCall(way, this.#codec, { jsonrpc: '2.0', method, params }, bytes, transfer)
    return waits ? this.#line.room() : this.#link.room()
  }

  async close(): Promise<void> {
    this.#line.finish()
    this.#outbox.flush()
    this.#link.close()
    await this.closed
  }

  /** For what it ends with, where its owner has given it up: a link may close a moment later. */
  end(why: BusError | undefined): void {
    this.#link.close()
    this.#end(why)
  }

  #end(fault: BusError | undefined): void {
    const wasOpen = !this.#gone
    if (!wasOpen && !fault) return
    const cause = fault ?? this.#incoming.fault
    const why = cause ? `The link to core has failed: ${cause.message}` : 'The link to core is closed'
    const gone = (delivered: 'no' | 'unknown'): BusError =>
      new BusError('Disconnected', why, { data: { delivered }, ...(cause && { cause }) })
    this.#gone = gone('no')
    if (!wasOpen) return
    this.pending.rejectAll(id => gone(this.#line.has(id) ? 'no' : 'unknown'))
    this.#line.end(this.#gone)
    if (this.holdsListeners) this.#lasting.listeners.unlinked()
    this.channels.finishAll()
    this.#lasting.exposed.unlinked(this.#gone)
  }

  /** Of the bus's own: what waits may wait for it. Only `after` a call that waits itself it goes with that. */
  #tell(method: string, params: object, after?: number): void {
    if (this.#gone) return
    const way = (after !== undefined && this.#line.attachAfter(after)) || this.#outbox
    postCall(way, this.#codec, { jsonrpc: '2.0', method, params }, false)
  }

  #abandoned(id: number): boolean {
    const unsent = this.#line.remove(id)
    if (!unsent) this.#tell(METHOD.cancel, { id })
    // Another may go in its place.
    if (this.#line.waits) queueMicrotask(() => this.#line.drain())
    return unsent
  }
}

function addDeadline(message: CallMessage, timeout: number | undefined): void {
  if (timeout !== undefined) message.headers = { ...message.headers, [TIMEOUT_HEADER]: String(Math.ceil(timeout)) }
}
