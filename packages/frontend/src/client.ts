// A client makes calls over a link, and sends the same whatever the link is: a port, the isolation gate, a network.
import {
  BusError,
  METHOD,
  cancelled,
  checkEventName,
  checkOptionNames,
  holdsBytes,
  toEventTarget,
  type CodecName,
  type EventTarget,
  type Link,
  type Unlisten,
} from '@sallyport/protocol'
import { channelsAmong, checkCommandName, prepareArguments, type CommandArguments } from './arguments.js'
import { Channel } from './channel.js'
import { Connection } from './connection.js'
import { checkHandler, type EventHandler } from './events.js'
import type { ExposedFunctions } from './exposed.js'
import { finish } from './open-channels.js'
import { OPTIONS_OF, checkEmitOptions, type EmitOptions, type InvokeOptions, type ListenOptions } from './options.js'
import { Stream } from './stream.js'

export interface ClientOptions {
  label: string
  codec?: CodecName
  data?: unknown
}

export class Client {
  readonly label: string
  /** @internal A gate judges what this client sends. */
  readonly isolated: boolean
  /** What the host gave this frontend. */
  readonly data: unknown
  /** `new client.Channel(onmessage)`: the same class for every client. */
  readonly Channel: typeof Channel = Channel
  /** Resolves once the link has closed, whoever closed it. */
  readonly closed: Promise<void>
  readonly #core: Connection

  constructor(link: Link, { label, codec = 'json', data }: ClientOptions) {
    this.label = label
    this.isolated = link.isolated === true
    this.data = data
    this.#core = new Connection(link, codec)
    this.closed = this.#core.closed
  }

  /**
   * Calls a command and gives its result.
   *
   * @param args named arguments (a `Channel` or bytes may be the value of one), or bytes as the whole body
   * @throws BusError of any reason: see its table
   */
  invoke<T = unknown>(command: string, args?: CommandArguments, options?: InvokeOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#call(command, args, resolve as (result: unknown) => void, reject, options)
    })
  }

  /**
   * Calls a command whose handler gives an async iterable, and gives its values, no faster than they are read. Nothing is
   * sent until the first is asked for. Leaving the loop gives the call up: the handler's `finally` runs. `timeout` is that
   * of the whole stream.
   *
   * @throws BusError from the loop: of any reason, after the values that came before
   */
  stream<T = unknown>(command: string, args?: CommandArguments, options?: InvokeOptions): Stream<T> {
    return new Stream<T>((channel, resolve, reject) => {
      const id = this.#call(command, args, resolve, reject, options, channel)
      return () => this.#core.pending.abandon(id, cancelled(command, undefined))
    }, options?.signal)
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
    if (options !== undefined) checkOptionNames(METHOD.listen, options, OPTIONS_OF.listen)
    const eventId = await this.subscribe(event, handler, options)
    return () => this.unsubscribe(event, eventId)
  }

  /** @internal Like `listen`, with the id that `unsubscribe` takes; headers may go with it, as with any call. */
  subscribe<T>(event: string, handler: EventHandler<T>, options: ListenOptions = {}): Promise<number> {
    return new Promise((resolve, reject) => {
      checkEventName(event)
      checkHandler(event, handler)
      const params = { event, target: toEventTarget(options.target ?? { kind: 'Any' }) }
      // The handler is in place before the next message is read: events may follow in the same frame.
      const listening = (result: unknown): void => {
        const eventId = result as number
        this.#core.listeners.add(eventId, handler as EventHandler)
        resolve(eventId)
      }
      this.#core.request(METHOD.listen, params, false, listening, reject, options)
    })
  }

  /** @internal The handler hears nothing more from now on; core is told. */
  unsubscribe(event: string, eventId: number): void {
    if (!this.#core.listeners.remove(eventId) || this.#core.isGone) return
    const done = (): void => {}
    this.#core.request(METHOD.unlisten, { event, eventId }, false, done, done)
  }

  /** @internal As `unsubscribe`, for a caller that tells core itself. */
  forget(eventId: number): void {
    this.#core.listeners.remove(eventId)
  }

  /** Like `listen`, for one event. */
  once<T = unknown>(event: string, handler: EventHandler<T>, options?: ListenOptions): Promise<Unlisten> {
    const first: EventHandler<T> = received => {
      this.unsubscribe(event, received.id)
      return handler(received)
    }
    return this.listen(event, typeof handler === 'function' ? first : handler, options)
  }

  /**
   * Lets core and the host call these functions of this frontend: `app.call(label, name, args)`, `bus.call(…)`. What takes
   * them away again is returned.
   *
   * @throws BusError `InvalidParams` for a name that is exposed already, and for what is no function
   * @example client.expose({ transform: ({ src }) => src.toUpperCase() })
   */
  expose(functions: ExposedFunctions): () => void {
    return this.#core.exposed.add(functions)
  }

  /** @internal Calls of what is not exposed wait until the module has been loaded. */
  whileLoading(loaded: Promise<unknown>): void {
    this.#core.exposed.waitFor(loaded)
  }

  /** Closes the link. Calls that still wait reject with `Disconnected`. */
  async close(): Promise<void> {
    await this.#core.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @param stream where the values of a stream are to come */
  #call(
    command: string,
    args: unknown,
    resolve: (result: unknown) => void,
    reject: (error: BusError) => void,
    options: InvokeOptions | undefined,
    stream?: Channel,
  ): number {
    checkCommandName(command)
    try {
      if (options !== undefined) checkOptionNames(command, options, OPTIONS_OF.call)
      const { params, hasBytes, channels } = prepareArguments(command, args)
      if (channels.length === 0) return this.#core.request(command, params, hasBytes, resolve, reject, options, stream)
      const mine = this.#core.channels.unused(channels)
      const failed = (error: BusError): void => {
        finish(mine)
        reject(error)
      }
      const id = this.#core.request(command, params, hasBytes, resolve, failed, options, stream)
      for (const channel of mine) this.#core.channels.adopt(channel)
      return id
    } catch (error) {
      finish(this.#core.channels.unused(channelsAmong(args)))
      throw error
    }
  }

  #emit(
    method: string,
    params: { event: string; payload: unknown; target?: EventTarget },
    options: EmitOptions | undefined,
  ): Promise<void> | undefined {
    if (options !== undefined) checkEmitOptions(method, options, params.payload)
    this.#core.notify(method, params, holdsBytes(params.payload), options?.transfer)
    return this.#core.room()
  }
}
