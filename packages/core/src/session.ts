// One frontend's way in: open → decode → authorize → dispatch → respond. What the frontend is and may do is known by the
// link that its messages come in on; nothing in a message can change it. A bad message gets a typed error; a bad frame or
// record closes the session.
import {
  BusError,
  failureOf,
  idOf,
  isBusError,
  isMeantAsAnswer,
  isThenable,
  parseCall,
  type CallMessage,
  type CodecName,
  type Link,
  type Opener,
  type ReceivedFrame,
} from '@sallyport/protocol'
import type { App } from './app.js'
import type { Permits } from './authority/authority.js'
import { CallTable } from './calls.js'
import { ChannelTable } from './channels.js'
import type { CommandRegistry } from './commands.js'
import { Call } from './context.js'
import type { Delivery, ListenerHome } from './delivery.js'
import type { EventRouter } from './events.js'
import { ExposedCalls } from './exposed-calls.js'
import type { FrontendCallOptions } from './frontend-call.js'
import { keepHouse } from './housekeeping.js'
import { Inbox } from './inbox.js'
import { notFound } from './not-found.js'
import type { Payload } from './payload.js'
import { Replies } from './replies.js'
import type { Resources } from './resources.js'
import { sendAll } from './streams.js'
import { beginTurn } from './turn.js'

export interface SessionOptions {
  /** `undefined` for the host, which is trusted and no frontend. */
  label: string | undefined
  codec: CodecName
  link: Link
  /** In the isolation pattern: only records come in, and this opens them. */
  opener: Opener | undefined
  permits: Permits
  registry: CommandRegistry
  router: EventRouter
  app: App
  /** What handlers keep open for this frontend. Core closes it when the session has ended. */
  resources: Resources
  report: SessionReport
}

/** What a session tells: suspicious activity, and its end. */
export interface SessionReport {
  denied(command: string): void
  /** For the log: what has nobody to be answered to, or an answer to nothing. */
  warn(text: string, about?: { command: string; reason: string }): void
  fault(label: string, error: BusError): void
  closed(session: Session): void
}

export class Session implements ListenerHome {
  readonly label: string | undefined
  readonly #calls = new CallTable()
  readonly #options: SessionOptions
  readonly #inbox: Inbox
  readonly #replies: Replies
  readonly #channels: ChannelTable
  readonly #linkClosed: Promise<void>
  readonly #exposed: ExposedCalls
  #draining = false
  #closed = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.label = options.label
    this.#inbox = new Inbox(options.opener)
    this.#replies = new Replies(options.link, options.codec)
    this.#channels = new ChannelTable(this.#replies)
    this.#exposed = new ExposedCalls(this.#replies)
    this.#linkClosed = new Promise(resolve => {
      options.link.receive({ frame: frame => this.#receive(frame), closed: fault => resolve(this.#end(fault)) })
    })
  }

  deliver(delivery: Delivery, payload: Payload): void {
    this.#replies.event(delivery, payload)
  }

  /** Calls a function that the frontend exposes. */
  call(name: string, args: unknown, options?: FrontendCallOptions): Promise<unknown> {
    return this.#exposed.call(name, args, options)
  }

  /** Takes no further call, and resolves once those that run have ended. */
  drain(): Promise<void> {
    this.#draining = true
    return this.#calls.idle()
  }

  /** Ends the session from this side. Resolves once what was answered has gone out, or the frontend is gone. */
  close(): Promise<void> {
    this.#replies.flush()
    this.#options.link.close()
    this.#end(undefined)
    return this.#linkClosed
  }

  #receive(frame: ReceivedFrame): void {
    let messages: readonly unknown[]
    try {
      messages = this.#inbox.read(frame)
    } catch (error) {
      return this.#fault(isBusError(error) ? error : new BusError('InternalError', 'The frame could not be read'))
    }
    // What is answered at once leaves as one frame, without waiting for the turn's end.
    this.#replies.hold()
    try {
      for (const message of messages) this.#serve(message)
    } finally {
      this.#replies.flush()
    }
  }

  #serve(message: unknown): void {
    if (isMeantAsAnswer(message)) return this.#answered(message)
    let call: CallMessage
    try {
      call = parseCall(message)
    } catch (error) {
      return this.#replies.error(idOf(message), '', error as BusError)
    }
    try {
      if (call.method.startsWith('$/')) keepHouse(call, this.#calls, this.#channels)
      else this.#dispatch(call)
    } catch (error) {
      this.#fail(call, error)
    }
  }

  /** To a call of what the frontend exposes. Its id is core's: an error about it is about no call of the frontend's. */
  #answered(message: unknown): void {
    try {
      this.#exposed.settle(message)
    } catch (error) {
      this.#replies.error(null, '', error as BusError)
      this.#options.report.warn((error as BusError).message)
    }
  }

  #dispatch(message: CallMessage): void {
    const { id, method, params = {}, headers = {} } = message
    const { registry, permits, app, resources, report } = this.#options
    if (this.#draining) throw new BusError('Disconnected', 'The bus is closing', { data: { delivered: 'no' } })
    const command = registry.get(method)
    if (!command) throw new BusError('MethodNotFound', notFound(method, registry))
    const denial = permits.check(command)
    if (denial) {
      report.denied(method)
      throw denial
    }
    this.#calls.admit(id)
    const opened = this.#channels.bind(params)
    const stream = message.headers === undefined ? undefined : this.#channels.openStream(headers, opened)
    const call = new Call({
      id,
      app,
      resources,
      label: this.#name,
      command,
      permits,
      request: { headers, body: params },
      home: this,
      channels: stream === undefined ? opened : [...opened, stream],
    })
    try {
      const result = command.run(params, call)
      if (stream !== undefined) return this.#await(message, call, sendAll(result, stream, method, call.signal))
      if (!isThenable(result)) return this.#succeed(message, result)
      this.#await(message, call, Promise.resolve(result))
    } catch (error) {
      call.endChannels()
      throw error
    }
  }

  /** A call that was taken out meanwhile was cancelled, or its frontend is gone: its answer has nowhere to go. */
  #await(message: CallMessage, call: Call, result: Promise<unknown>): void {
    const { id } = message
    beginTurn()
    this.#calls.add(call)
    result.then(
      value => {
        if (this.#calls.remove(call)) this.#succeed(message, value)
      },
      (error: unknown) => {
        call.endChannels()
        if (this.#calls.remove(call) || id === undefined) this.#fail(message, error)
      },
    )
  }

  #succeed({ id, method }: CallMessage, value: unknown): void {
    if (id !== undefined) this.#replies.result(id, method, value)
  }

  #fail({ id, method }: CallMessage, thrown: unknown): void {
    const error = failureOf(method, thrown)
    if (id !== undefined) return this.#replies.error(id, method, error)
    this.#options.report.warn(error.message, { command: method, reason: error.reason })
  }

  #fault(error: BusError): void {
    this.#replies.error(null, '', error)
    this.#replies.flush()
    this.#options.link.close()
    this.#end(error)
  }

  #end(fault: BusError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    const gone = `The frontend ${JSON.stringify(this.#name)} is gone`
    const cutOff = this.#calls.abortAll(new BusError('Disconnected', gone))
    if (this.#draining) {
      const reason = 'Disconnected'
      for (const { method: command } of cutOff) {
        this.#options.report.warn('still ran as the bus was closed', { command, reason })
      }
    }
    this.#channels.abandonAll(gone)
    this.#exposed.end(gone)
    this.#options.router.dropHome(this)
    if (fault) this.#options.report.fault(this.#name, fault)
    this.#options.report.closed(this)
  }

  get #name(): string {
    return this.label ?? 'host'
  }
}
