// The client of a bus: calls commands, sends and receives events, and exposes functions. It works the same over every link: a
// port, an isolation gate, a network. On a bus it can reconnect when core or its gate restarts.
import {
  BusError,
  captureCaller,
  createCallPromise,
  createClosedClientError,
  describeCommand,
  isBusError,
  toBusError,
} from '@sallyport/protocol/internal/errors'
import {
  type BusEvent,
  checkEventName,
  checkOptionNames,
  createAbortError,
  type EventTarget,
  METHOD,
  toEventTarget,
  type TransferOptions,
  type Unlisten,
  watchEvent,
} from '@sallyport/protocol/internal/message'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { Link } from '@sallyport/protocol/internal/wire'
import { bindContext, IS_NODE } from '@sallyport/protocol/internal/util'
import { Channel, Stream } from './channel.js'
import {
  type CallDefaults,
  type Calls,
  Connection,
  type ConnectionOwner,
  type OutgoingCall,
  type OutgoingEvent,
  type SentCall,
} from './connection.js'
import type { Exposed, ExposedContext, ExposedFunctions } from './exposed-functions.js'
import { FunctionRegistry } from '#node-parts'
import { checkHandler, type EventHandler, Listeners } from './listeners.js'
import { type InvokeOptions, type ListenOptions, OPTION_NAMES } from './arguments.js'

export interface ClientOptions extends CallDefaults {
  label: string
  /** @default 'json' */
  codec?: CodecName
  data?: unknown
  /** The client stays open when its link closes: another link can follow. */
  reconnects?: boolean
  /** Returns the error of a call whose exposed function has thrown. @default toBusError */
  toError?: typeof toBusError
}

/** @internal What a client consists of now. */
export interface ClientParts {
  readonly listeners: Listeners
  readonly functions: FunctionRegistry
  /** The only connection, or the one of several that events and listeners use. */
  readonly connection: Connection
}

/** The client of a frontend, or of a connection of the host. */
export class Client {
  /** The label of this frontend. */
  readonly label: string
  /** The `data` that the host passed to this frontend. */
  readonly data: unknown
  /** `new client.Channel(onmessage)`: every client has the same class. */
  readonly Channel: typeof Channel = Channel
  /** Resolves once the client has closed for good. */
  readonly closed: Promise<void>
  readonly #options: ClientOptions
  readonly #listeners = new Listeners()
  readonly #functions: FunctionRegistry
  #connection: Connection
  #calls: Calls
  #isClosed = false
  readonly #waiting = new Set<(error: BusError) => void>()
  #resolveClosed!: () => void

  /** @internal */
  constructor(link: Link, options: ClientOptions) {
    // Destructured here: a declaration file would repeat names in the signature.
    const { label, codec = 'json', data, toError = toBusError } = options
    this.label = label
    this.data = data
    this.#options = { ...options }
    this.#functions = new FunctionRegistry({ label, codec, toError })
    this.closed = new Promise(resolve => (this.#resolveClosed = resolve))
    void this.closed.then(() => {
      const error = createClosedClientError()
      for (const fail of [...this.#waiting]) fail(error)
    })
    this.#calls = this.#connection = this.#connect(link, this.#functions)
  }

  // Static, and keyed by private fields, so that users who get a client do not find them on it.

  /** @internal Returns the parts that the bus controls a client by. */
  static getParts(client: Client): ClientParts {
    return {
      listeners: client.#listeners,
      functions: client.#functions,
      connection: client.#connection,
    }
  }

  /**
   * @internal Continues over another link. Calls in flight over the previous link reject. Resolves once core knows the
   * listeners again; nothing else is sent before their registration.
   */
  static async reconnect(client: Client, link: Link): Promise<void> {
    if (client.#isClosed) return link.close()
    if (IS_NODE && client.#calls !== client.#connection)
      throw new BusError('InternalError', 'A client with several connections does not reconnect')
    client.#connection.end(undefined)
    client.#calls = client.#connection = client.#connect(link, client.#functions)
    await client.#listeners.resubscribe(client.#connection)
  }

  /** @internal Opens a connection beside that of the client. Calls of functions over it are its own. Not in pages. */
  declare static open: (client: Client, link: Link, listeners?: ConnectionOwner['listeners']) => Connection

  /** @internal Uses a connection for listeners and events, and for calls unless something else makes them. Not in pages. */
  declare static use: (client: Client, connection: Connection, calls?: Calls) => void

  static {
    if (IS_NODE) {
      Client.open = (client, link, listeners) => {
        const connection = client.#connect(link, client.#functions.forConnection(), listeners)
        if (client.#isClosed) connection.end(undefined)
        return connection
      }
      Client.use = (client, connection, calls = connection) => {
        client.#connection = connection
        client.#calls = calls
      }
    }
  }

  /** @internal Closes the client immediately: no other link will follow. */
  static end(client: Client, reason: BusError | undefined): void {
    client.#isClosed = true
    client.#calls.end(reason)
    client.#resolveClosed()
  }

  /** @internal Makes a call over the only connection, or over one of several. @throws {BusError} as `Connection.call` */
  static call(client: Client, call: OutgoingCall): SentCall {
    const sent = client.#calls.call(call)
    return typeof sent === 'number' ? { connection: client.#connection, id: sent } : sent
  }

  /** @internal Listens to an event. Resolves with the id that `unsubscribe` takes. @throws {BusError} InvalidParams, synchronously */
  static subscribe<T>(
    client: Client,
    event: string,
    handler: EventHandler<T>,
    options: ListenOptions & Pick<InvokeOptions, 'headers'> = {},
  ): Promise<number> {
    checkEventName(event)
    checkHandler(event, handler)
    const { headers, signal, target = { kind: 'Any' }, timeout = client.#options.timeout } = options
    const bound = bindContext(handler) as EventHandler
    const subscription = { event, target: toEventTarget(target), headers, handler: bound }
    const deadline = { ...(signal !== undefined && { signal }), ...(timeout !== undefined && { timeout }) }
    return client.#listeners.subscribe(client.#connection, subscription, deadline)
  }

  /**
   * Calls a command and returns its result.
   *
   * @param args - named arguments (a `Channel` or bytes can be the value of one), or bytes as the whole body
   * @throws {BusError} with any `reason`
   */
  invoke<T = unknown>(command: string, args?: object, options?: InvokeOptions): Promise<T> {
    return createCallPromise<T>((resolve, reject) => {
      const settle = resolve as (result: unknown) => void
      const call: OutgoingCall = {
        command,
        args,
        options,
        stream: undefined,
        resolve: settle,
        reject,
      }
      this.#calls.call(call)
    })
  }

  /**
   * Calls a command whose handler returns an async iterable, and returns its values, no faster than they are read. The call is
   * made when the first value is requested. Leaving the loop cancels it: the handler's `finally` runs. `timeout` is the
   * deadline of the whole stream, or with `{ idle }` of a time without a value.
   *
   * @throws {BusError} from the loop, with any reason, after the values that arrived before
   */
  stream<T = unknown>(command: string, args?: object, options?: InvokeOptions): Stream<T> {
    return new Stream<T>((stream, resolve, reject) => {
      const { connection, id } = Client.call(this, { command, args, options, stream, resolve, reject })
      return () => connection.pending.abandon(id, createAbortError(describeCommand(command), undefined))
    }, options?.signal)
  }

  /**
   * Sends an event to every listener. Resolves once the event was sent and there is room for more.
   *
   * @throws {BusError} `Overloaded` if too many messages wait for room: the event is not sent then. `Disconnected`. These two
   * don't have to be caught: they don't cause an unhandled rejection.
   */
  emit(event: string, payload?: unknown, options?: TransferOptions): Promise<void> {
    return this.#emit(METHOD.emit, () => ({ event, payload }), options)
  }

  /** Sends an event to the listeners that match `target`: a label, or one of Tauri's targets. */
  emitTo(target: string | EventTarget, event: string, payload?: unknown, options?: TransferOptions): Promise<void> {
    return this.#emit(METHOD.emitTo, () => ({ target: toEventTarget(target), event, payload }), options)
  }

  /**
   * Listens to an event. Once core knows the listener, resolves with a function that removes it.
   *
   * @throws {BusError} InvalidParams, synchronously, for an invalid name, handler or option. The promise rejects with `Disconnected`,
   * which doesn't have to be caught, or with another reason
   */
  listen<T = unknown>(event: string, handler: EventHandler<T>, options?: ListenOptions): Promise<Unlisten> {
    if (options !== undefined) checkOptionNames(METHOD.listen, options, OPTION_NAMES.listen)
    const subscribing = Client.subscribe(this, event, handler, options)
    const listening = createCallPromise<Unlisten>((resolve, reject) => {
      const fail = (error: BusError): void => {
        // A listener does not have to be awaited: the end of the client must not end the thread as an unhandled rejection.
        if (error.reason === 'Disconnected') listening.catch(() => {})
        reject(error)
      }
      subscribing.then(id => resolve(() => this.#listeners.unsubscribe(this.#connection, event, id)), fail)
    })
    return listening
  }

  /**
   * Waits for an event. The promise does not have to be awaited.
   *
   * @throws {BusError} InvalidParams, synchronously, for an invalid name or option. The promise rejects with Timeout, Cancelled, or
   * Disconnected when the client closes
   * @example const { payload } = await client.once<number>('done', { timeout: 5000 })
   */
  once<T = unknown>(event: string, options?: ListenOptions): Promise<BusEvent<T>>
  /** Listens to an event once. Resolves, as `listen` does, with a function that removes the listener. */
  once<T = unknown>(event: string, handler: EventHandler<T>, options?: ListenOptions): Promise<Unlisten>
  once<T>(
    event: string,
    handler?: EventHandler<T> | ListenOptions,
    options?: ListenOptions,
  ): Promise<BusEvent<T> | Unlisten> {
    const isWaiting = handler === undefined || typeof handler === 'object'
    if (isWaiting && options === undefined) return this.#waitFor<T>(event, handler)
    checkHandler(event, handler)
    const handleFirst: EventHandler<T> = received => {
      this.#listeners.unsubscribe(this.#connection, event, received.id)
      return (handler as EventHandler<T>)(received)
    }
    return this.listen(event, handleFirst, options)
  }

  /**
   * Lets core and the host call these functions of this frontend: `app.call(label, name, args)`, `bus.call(…)`. Returns a
   * function that removes them. Arguments without a type are `Record<string, unknown>`, because callers can send anything.
   *
   * @throws {BusError} `InvalidParams` if a name is invalid or exposed already, or a value is not a function
   * @example client.expose({ transform: ({ src }: { src: string }) => src.toUpperCase() })
   */
  expose<F extends Readonly<Record<string, CallableFunction>>>(functions: {
    [Name in keyof F]: F[Name] | ((args: Record<string, unknown>, ctx: ExposedContext, ...none: never[]) => unknown)
  }): Exposed<F> {
    return this.#functions.expose(functions as ExposedFunctions)
  }

  /** Closes the client for good. Calls in flight reject with `Disconnected`. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#calls.close()
    this.#resolveClosed()
  }

  /** Calls `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #waitFor<T>(event: string, options: ListenOptions = {}): Promise<BusEvent<T>> {
    checkEventName(event)
    checkOptionNames(METHOD.listen, options, OPTION_NAMES.listen)
    const { target, ...deadline } = options
    const addCaller = captureCaller()
    const received = new Promise<BusEvent<T>>((resolve, reject) => {
      const stop = (): void => {
        stopWatching()
        this.#waiting.delete(fail)
      }
      const fail = (error: BusError): void => {
        stop()
        reject(addCaller(error))
        listening.then(unlisten => unlisten()).catch(() => {})
      }
      const handle = (first: BusEvent<T>): void => {
        stop()
        resolve(first)
      }
      const stopWatching = watchEvent(event, deadline, fail)
      const listening = this.once<T>(event, handle, target === undefined ? {} : { target })
      listening.catch(fail)
      this.#waiting.add(fail)
    })
    received.catch(() => {})
    return received
  }

  #connect(
    link: Link,
    functions: FunctionRegistry,
    listeners: ConnectionOwner['listeners'] = this.#listeners,
  ): Connection {
    const { codec = 'json', reconnects } = this.#options
    const owner = { label: this.label, codec, listeners, functions }
    const connection = new Connection(link, owner, this.#options)
    void connection.closed.then(() => reconnects || this.#resolveClosed())
    return connection
  }

  #emit(method: string, createParams: () => OutgoingEvent, options: TransferOptions | undefined): Promise<void> {
    try {
      const sent = this.#connection.emit(method, createParams(), options)
      if (!sent) return SENT
      // An event does not have to be awaited: a later failure must not end the thread as an unhandled rejection.
      sent.catch(() => {})
      return sent
    } catch (error) {
      const failed = Promise.reject(error)
      // The caller's own mistakes do end the thread unless they are caught.
      if (isBusError(error, 'Overloaded') || isBusError(error, 'Disconnected')) failed.catch(() => {})
      return failed
    }
  }
}

const SENT: Promise<void> = Promise.resolve()

/** Returns the class of a client of any copy of this package: only its own copy can read its private fields. */
export const getClientClass = (client: Client): typeof Client => client.constructor as typeof Client
