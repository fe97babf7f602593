// A client makes calls over a link, and sends the same whatever the link is: a port, the isolation gate, a network. In a bus
// it outlasts its link: core or a gate that is started again is reached over another one.
import {
  BusError,
  cancelled,
  checkEventName,
  checkOptionNames,
  type CodecName,
  type EventTarget,
  isBusError,
  type Link,
  METHOD,
  toEventTarget,
  type Unlisten,
} from '@sallyport/protocol'
import type { CommandArguments } from './arguments.js'
import { Channel } from './channel.js'
import { ConnectionPool } from './connection-pool.js'
import { type CallDefaults, Connection } from './connection.js'
import { checkHandler, type EventHandler } from './event-handler.js'
import { answersOver, Exposed, type ExposedFunctions } from './exposed-functions.js'
import { Listeners } from './listeners.js'
import { type EmitOptions, type InvokeOptions, type ListenOptions, OPTIONS_OF } from './options.js'
import { call, type Caller, listen, listenAgain, sendEvent, type SentEvent, unlisten } from './requests.js'
import { Stream } from './stream.js'

// Events are fire and forget: where nobody awaits one, what becomes of it on its way must not end the thread, as a rejection
// that nobody has caught would. A mistake of the caller's still does.

const SENT: Promise<void> = Promise.resolve()

function fireAndForget(send: () => Promise<void> | undefined): Promise<void> {
  try {
    const sent = send()
    sent?.catch(() => {})
    return sent ?? SENT
  } catch (error) {
    const failed = Promise.reject(error as Error)
    if (isBusError(error, 'Overloaded') || isBusError(error, 'Disconnected')) failed.catch(() => {})
    return failed
  }
}

export interface ClientOptions extends CallDefaults {
  label: string
  codec?: CodecName
  data?: unknown
  /** @internal Another link may follow one that closes. */
  relinks?: boolean
}

export class Client {
  readonly label: string
  /** @internal A gate judges what this client sends. */
  readonly isolated: boolean
  /** What the host gave this frontend. */
  readonly data: unknown
  /** `new client.Channel(onmessage)`: the same class for every client. */
  readonly Channel: typeof Channel = Channel
  /** Resolves once it has closed for good, whoever closed it: no other link will follow. */
  readonly closed: Promise<void>
  readonly #who: Caller
  readonly #relinks: boolean
  readonly #calls: CallDefaults
  readonly #listeners = new Listeners()
  readonly #exposed: Exposed
  #core: Connection
  #lanes: ConnectionPool | undefined
  #over = false
  #finish!: () => void

  constructor(link: Link, options: ClientOptions) {
    // Not in the signature: the declarations have no `relinks`.
    const { label, codec = 'json', data, relinks = false, ...calls } = options
    this.label = label
    this.isolated = link.isolated === true
    this.data = data
    this.#who = { label, codec }
    this.#relinks = relinks
    this.#calls = calls
    const answers = answersOver(() => this.#core)
    this.#exposed = new Exposed(this.#who, answers)
    this.closed = new Promise(resolve => (this.#finish = resolve))
    this.#core = this.#connect(link)
  }

  /**
   * @internal Goes on over another link: what waited for an answer over the one before has none. Resolves once core knows of
   * the listeners again, which nothing else is sent before.
   */
  async relink(link: Link): Promise<void> {
    if (this.#over) return link.close()
    this.#core.end(undefined)
    this.#core = this.#connect(link)
    await listenAgain(this.#core, this.#listeners)
  }

  /** @internal A link to one more core of the same bus: each call takes one of them. */
  addLane(link: Link): void {
    if (this.#over) return link.close()
    this.#spread().add(answers => this.#connect(link, this.#exposed.beside(answers)))
  }

  /** @internal Ends what goes over this link alone. */
  endLane(link: Link, why: BusError | undefined): void {
    this.#spread().endLane(link, why)
  }

  /** @internal No other link will follow. */
  end(why: BusError | undefined): void {
    this.#over = true
    ;(this.#lanes ?? this.#core).end(why)
    this.#finish()
  }

  /**
   * Calls a command and gives its result.
   *
   * @param args named arguments (a `Channel` or bytes may be the value of one), or bytes as the whole body
   * @throws BusError of any reason: see its table
   */
  invoke<T = unknown>(command: string, args?: CommandArguments, options?: InvokeOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#call(this.#coreFor(args), command, args, resolve as (result: unknown) => void, reject, options)
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
      const core = this.#coreFor(args)
      const id = this.#call(core, command, args, resolve, reject, options, channel)
      return () => core.pending.abandon(id, cancelled(command, undefined))
    }, options?.signal)
  }

  /**
   * Sends an event to every listener. Fire and forget: it resolves when the event is on its way, and there is room for more.
   *
   * @throws BusError `Overloaded` where too much waits for room already, and then it is not sent; `Disconnected`. Nobody has to
   * catch these two.
   */
  emit(event: string, payload?: unknown, options?: EmitOptions): Promise<void> {
    return fireAndForget(() => this.#emit(METHOD.emit, { event, payload }, options))
  }

  /** Sends an event to the listeners that match `target`: a label, or one of Tauri's targets. */
  emitTo(target: string | EventTarget, event: string, payload?: unknown, options?: EmitOptions): Promise<void> {
    return fireAndForget(() => this.#emit(METHOD.emitTo, { target: toEventTarget(target), event, payload }, options))
  }

  /** Resolves, once core knows of the listener, to what takes it away again. */
  async listen<T = unknown>(event: string, handler: EventHandler<T>, options?: ListenOptions): Promise<Unlisten> {
    if (options !== undefined) checkOptionNames(METHOD.listen, options, OPTIONS_OF.listen)
    const eventId = await this.subscribe(event, handler, options)
    return () => this.unsubscribe(event, eventId)
  }

  /** @internal Like `listen`, with the id that `unsubscribe` takes; headers may go with it, as with any call. */
  async subscribe<T>(
    event: string,
    handler: EventHandler<T>,
    options: ListenOptions & Pick<InvokeOptions, 'headers'> = {},
  ): Promise<number> {
    checkEventName(event)
    checkHandler(event, handler)
    const { headers, target = { kind: 'Any' }, timeout = this.#calls.timeout } = options
    const listening = { event, target: toEventTarget(target), headers, handler: handler as EventHandler }
    const patience = timeout === undefined ? options : { ...options, timeout }
    return listen(this.#core, this.#listeners, listening, patience)
  }

  /** @internal The handler hears nothing more from now on; core is told. */
  unsubscribe(event: string, eventId: number): void {
    const coreId = this.#listeners.remove(eventId)
    if (coreId !== undefined) unlisten(this.#core, event, coreId)
  }

  /** @internal As `unsubscribe`, for a caller that tells core itself: by this id, where core knows of the listener. */
  forget(eventId: number): number | undefined {
    return this.#listeners.remove(eventId)
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
    return this.#exposed.add(functions)
  }

  /** @internal Calls of what is not exposed wait until the module has been loaded. */
  whileLoading(loaded: Promise<unknown>): void {
    this.#exposed.waitFor(loaded)
  }

  /** Closes it for good. Calls that still wait reject with `Disconnected`. */
  async close(): Promise<void> {
    this.#over = true
    await (this.#lanes ?? this.#core).close()
    this.#finish()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #connect(link: Link, exposed = this.#exposed): Connection {
    const lasting = { label: this.label, listeners: this.#listeners, exposed }
    const connection = new Connection(link, this.#who.codec, lasting, this.#calls)
    void connection.closed.then(() => this.#relinks || this.#finish())
    return connection
  }

  #spread(): ConnectionPool {
    return (this.#lanes ??= new ConnectionPool(this.#core, home => {
      this.#core = home
      void listenAgain(home, this.#listeners)
    }))
  }

  #coreFor(args: unknown): Connection {
    return this.#lanes ? (this.#lanes.pick(args) ?? this.#core) : this.#core
  }

  /** @param stream where the values of a stream are to come */
  #call(
    core: Connection,
    command: string,
    args: unknown,
    resolve: (result: unknown) => void,
    reject: (error: BusError) => void,
    options: InvokeOptions | undefined,
    stream?: Channel,
  ): number {
    const failed = this.#lanes ? this.#lanes.hears(core, reject) : reject
    return call(core, this.#who, command, args, resolve, failed, options, stream)
  }

  #emit(...event: [method: string, params: SentEvent, options: EmitOptions | undefined]): Promise<void> | undefined {
    return sendEvent(this.#core, this.#who, ...event)
  }
}
