// A client makes calls over a link. It neither knows nor asks what the link is: a port, the isolation gate, a network.
import {
  BatchReader,
  BusError,
  METHOD,
  checkEventName,
  createOutbox,
  holdsBytes,
  isResponse,
  toEventTarget,
  type CallMessage,
  type ChannelParams,
  type CodecName,
  type EventParams,
  type EventTarget,
  type Link,
  type Outbox,
  type ReceivedFrame,
  type Unlisten,
} from '@sallyport/protocol'
import { channelsAmong, checkCommandName, plainHeaders, prepareArguments, type CommandArguments } from './arguments.js'
import { Channel } from './channel.js'
import { Listeners, checkHandler, type EventHandler } from './events.js'
import {
  checkCallOptions,
  checkEmitOptions,
  type EmitOptions,
  type InvokeOptions,
  type ListenOptions,
} from './options.js'
import { Pending } from './pending.js'
import { postCall } from './post-call.js'

export interface ClientOptions {
  label: string
  codec?: CodecName
  data?: unknown
}

export class Client {
  readonly label: string
  /** What the host gave this frontend. */
  readonly data: unknown
  /** `new client.Channel(onmessage)`: the same class for every client. */
  readonly Channel: typeof Channel = Channel
  /** Resolves once the link has closed, whoever closed it. */
  readonly closed: Promise<void>
  readonly #codec: CodecName
  readonly #link: Link
  readonly #outbox: Outbox
  readonly #reader = new BatchReader(true)
  readonly #pending: Pending
  readonly #listeners = new Listeners()
  readonly #channels = new Map<number, Channel>()
  #gone: BusError | undefined
  #lastFault: BusError | undefined

  constructor(link: Link, { label, codec = 'json', data }: ClientOptions) {
    this.label = label
    this.data = data
    this.#codec = codec
    this.#link = link
    this.#outbox = createOutbox(
      (kind, body) => link.send({ kind, body }),
      // The more calls wait already, the larger the frames that pay.
      () => link.frameMessages && Math.max(link.frameMessages, this.#pending.size >> 3),
    )
    this.#pending = new Pending(id => this.#notify(METHOD.cancel, { id }))
    this.closed = new Promise(resolve => {
      link.receive({
        frame: frame => this.#receive(frame),
        closed: fault => resolve(this.#end(fault)),
      })
    })
  }

  /**
   * Calls a command and gives its result.
   *
   * @param args named arguments (a `Channel` or bytes may be the value of one), or bytes as the whole body
   * @throws BusError of any reason: see its table
   */
  invoke<T = unknown>(command: string, args?: CommandArguments, options?: InvokeOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      checkCommandName(command)
      try {
        const { params, hasBytes, channels } = prepareArguments(command, args)
        const settled = resolve as (result: unknown) => void
        if (channels.length === 0) return this.#request(command, params, hasBytes, settled, reject, options)
        const mine = this.#unused(channels)
        const failed = (error: BusError): void => reject(this.#finishAll(mine, error))
        this.#request(command, params, hasBytes, settled, failed, options)
        for (const channel of mine) this.#adopt(channel)
      } catch (error) {
        throw this.#finishAll(this.#unused(channelsAmong(args)), error)
      }
    })
  }

  /** Sends an event to every listener. Fire and forget: it resolves when the event is on its way, and there is room for more. */
  async emit(event: string, payload?: unknown, options?: EmitOptions): Promise<void> {
    checkEventName(event)
    await this.#emit(METHOD.emit, { event, payload }, options)
  }

  /** Sends an event to the listeners that match `target`: a label, or one of Tauri's targets. */
  async emitTo(target: string | EventTarget, event: string, payload?: unknown, options?: EmitOptions): Promise<void> {
    checkEventName(event)
    await this.#emit(METHOD.emitTo, { target: toEventTarget(target), event, payload }, options)
  }

  /** Resolves, once core knows of the listener, to what takes it away again. */
  async listen<T = unknown>(event: string, handler: EventHandler<T>, options?: ListenOptions): Promise<Unlisten> {
    const eventId = await this.subscribe(event, handler, options)
    return () => this.unsubscribe(event, eventId)
  }

  /** @internal Like `listen`, with the id that `unsubscribe` takes. */
  subscribe<T>(event: string, handler: EventHandler<T>, options: ListenOptions = {}): Promise<number> {
    return new Promise((resolve, reject) => {
      checkEventName(event)
      checkHandler(event, handler)
      const params = { event, target: toEventTarget(options.target ?? { kind: 'Any' }) }
      // The handler is in place before the next message is read: events may follow in the same frame.
      const listening = (result: unknown): void => {
        const eventId = result as number
        this.#listeners.add(eventId, handler as EventHandler)
        resolve(eventId)
      }
      this.#request(METHOD.listen, params, false, listening, reject, options)
    })
  }

  /** @internal The handler hears nothing more from now on; core is told. */
  unsubscribe(event: string, eventId: number): void {
    if (!this.#listeners.remove(eventId) || this.#gone) return
    const done = (): void => {}
    this.#request(METHOD.unlisten, { event, eventId }, false, done, done)
  }

  /** Like `listen`, for one event. */
  once<T = unknown>(event: string, handler: EventHandler<T>, options: ListenOptions = {}): Promise<Unlisten> {
    const first: EventHandler<T> = received => {
      this.unsubscribe(event, received.id)
      return handler(received)
    }
    return this.listen(event, typeof handler === 'function' ? first : handler, options)
  }

  /** Closes the link. Calls that still wait reject with `Disconnected`. */
  async close(): Promise<void> {
    this.#outbox.flush()
    this.#link.close()
    await this.closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #request(
    method: string,
    params: unknown,
    bytes: boolean,
    resolve: (result: unknown) => void,
    reject: (error: BusError) => void,
    options?: InvokeOptions,
  ): void {
    if (this.#gone) throw new BusError('Disconnected', this.#gone.message, { data: { delivered: 'no' } })
    if (options !== undefined) checkCallOptions(method, options, params)
    const id = this.#pending.takeId()
    const message: CallMessage = { jsonrpc: '2.0', id, method, params }
    if (options?.headers !== undefined) message.headers = plainHeaders(options.headers)
    postCall(this.#outbox, this.#codec, message, bytes, options?.transfer)
    this.#pending.add(id, method, resolve, reject, options)
  }

  #emit(
    method: string,
    params: { event: string; payload: unknown; target?: EventTarget },
    options: EmitOptions | undefined,
  ): Promise<void> | undefined {
    if (options !== undefined) checkEmitOptions(method, options, params.payload)
    this.#notify(method, params, holdsBytes(params.payload), options?.transfer)
    return this.#link.room?.()
  }

  #notify(method: string, params: object, bytes = false, transfer?: readonly ArrayBufferLike[]): void {
    if (this.#gone) throw this.#gone
    postCall(this.#outbox, this.#codec, { jsonrpc: '2.0', method, params }, bytes, transfer)
  }

  #adopt(channel: Channel): void {
    this.#channels.set(channel.id, channel)
    channel.bind({
      credit: (id, messages) => !this.#gone && this.#notify(METHOD.credit, { channel: id, messages }),
      forget: id => this.#channels.delete(id),
    })
  }

  /** A channel is the call's that it came with first: with that call it ends, where the call fails. */
  #unused(channels: readonly Channel[]): Channel[] {
    return channels.filter(({ id }) => !this.#channels.has(id))
  }

  /** Core ends the channels of a call that failed, or never had them. */
  #finishAll<E>(channels: Channel[], error: E): E {
    for (const channel of channels) channel.finish()
    return error
  }

  #receive({ kind, body }: ReceivedFrame): void {
    this.#lastFault = undefined
    try {
      for (const message of this.#reader.read(kind, body)) this.#take(message)
    } catch (error) {
      // As everywhere, a bad frame closes the session. It must not end the thread, which may be the host's.
      this.#lastFault = error as BusError
      this.#link.close()
    }
  }

  #take(message: unknown): void {
    if (isResponse(message)) {
      if ('error' in message && message.id === null)
        this.#lastFault = new BusError('InvalidRequest', message.error.message)
      return this.#pending.settle(message)
    }
    const { method, params } = (message ?? {}) as { method?: unknown; params?: unknown }
    if (typeof params !== 'object' || params === null) return
    if (method === METHOD.event) this.#listeners.dispatch(params as EventParams)
    else if (method === METHOD.channel)
      this.#channels.get((params as ChannelParams).channel)?.receive(params as ChannelParams)
  }

  #end(fault: BusError | undefined): void {
    const cause = fault ?? this.#lastFault
    const why = cause ? `The link to core has failed: ${cause.message}` : 'The link to core is closed'
    const gone = (delivered: 'no' | 'unknown'): BusError =>
      new BusError('Disconnected', why, { data: { delivered }, ...(cause && { cause }) })
    this.#gone = gone('no')
    this.#pending.rejectAll(() => gone('unknown'))
    this.#listeners.clear()
    for (const channel of [...this.#channels.values()]) channel.finish()
  }
}
