// One end of a link to core, as a client uses it: what goes out is numbered, encoded and kept until it is answered, and what
// comes in finds its way; with the link all of it ends. What outlasts a link is the client's: listeners, and what it exposes.
import {
  BusError,
  METHOD,
  Pending,
  STREAM_HEADER,
  createOutbox,
  type CallMessage,
  type CodecName,
  type Link,
  type Outbox,
  type RequestId,
} from '@sallyport/protocol'
import type { Channel } from './channel.js'
import type { Exposed } from './exposed.js'
import { Incoming } from './incoming.js'
import type { Listeners } from './listeners.js'
import { OpenChannels } from './open-channels.js'
import { checkCallOptions, plainHeaders, type InvokeOptions } from './options.js'
import { postError, postResult } from './post-answer.js'
import { postCall } from './post-call.js'

/** What a client keeps from one link to the next. */
export interface Lasting {
  readonly listeners: Listeners
  readonly exposed: Exposed
}

export class Connection {
  /** Resolves once the link has closed, whoever closed it. */
  readonly closed: Promise<void>
  readonly pending: Pending
  readonly channels: OpenChannels = new OpenChannels((method, params) => {
    if (!this.#gone) this.notify(method, params)
  })
  readonly #lasting: Lasting
  readonly #codec: CodecName
  readonly #timeout: number | undefined
  readonly #link: Link
  readonly #outbox: Outbox
  readonly #incoming: Incoming
  #gone: BusError | undefined

  /** @param timeout the deadline in milliseconds of calls that have none of their own, but for streams */
  constructor(link: Link, codec: CodecName, lasting: Lasting, timeout?: number) {
    this.#codec = codec
    this.#timeout = timeout
    this.#lasting = lasting
    this.#link = link
    this.#outbox = createOutbox(
      (kind, body) => link.send({ kind, body }),
      // The more calls wait already, the larger the frames that pay.
      () => link.frameMessages && Math.max(link.frameMessages, this.pending.size >> 3),
    )
    this.pending = new Pending(id => this.notify(METHOD.cancel, { id }))
    this.#incoming = new Incoming({
      link,
      pending: this.pending,
      listeners: lasting.listeners,
      channels: this.channels,
      exposed: lasting.exposed,
    })
    this.closed = new Promise(resolve => {
      link.receive({
        frame: frame => this.#gone || this.#incoming.receive(frame),
        closed: fault => resolve(this.#end(fault)),
      })
    })
  }

  get isGone(): boolean {
    return this.#gone !== undefined
  }

  /** Answers a call of core's. */
  answer(id: RequestId, method: string, value: unknown): void {
    postResult(this.#outbox, this.#codec, id, method, value)
  }

  refuse(id: RequestId, error: BusError): void {
    postError(this.#outbox, this.#codec, id, error)
  }

  /**
   * Sends a request, and gives its id.
   *
   * @param bytes whether bytes are among `params` where they are looked for
   * @param stream where the values of a stream are to come
   */
  request(
    method: string,
    params: unknown,
    bytes: boolean,
    resolve: (result: unknown) => void,
    reject: (error: BusError) => void,
    options?: InvokeOptions,
    stream?: Channel,
  ): number {
    if (this.#gone) throw new BusError('Disconnected', this.#gone.message, { data: { delivered: 'no' } })
    if (options !== undefined) checkCallOptions(method, options, params)
    const id = this.pending.takeId()
    const message: CallMessage = { jsonrpc: '2.0', id, method, params }
    if (options?.headers !== undefined) message.headers = plainHeaders(options.headers)
    if (stream !== undefined) message.headers = { ...message.headers, [STREAM_HEADER]: stream.toJSON() }
    postCall(this.#outbox, this.#codec, message, bytes, options?.transfer)
    this.pending.add(id, method, resolve, reject, options, this.#usual(method, stream))
    if (stream !== undefined) this.channels.adopt(stream)
    return id
  }

  /** The deadline of such a call, where it has none of its own: a stream lasts, and a listener has been seen to. */
  #usual(method: string, stream: Channel | undefined): number | undefined {
    return this.#timeout === undefined || stream || method === METHOD.listen ? undefined : this.#timeout
  }

  notify(method: string, params: object, bytes = false, transfer?: readonly ArrayBufferLike[]): void {
    if (this.#gone) throw this.#gone
    postCall(this.#outbox, this.#codec, { jsonrpc: '2.0', method, params }, bytes, transfer)
  }

  /** Resolves once there is room for more. */
  room(): Promise<void> | undefined {
    return this.#link.room()
  }

  async close(): Promise<void> {
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
    this.pending.rejectAll(() => gone('unknown'))
    this.#lasting.listeners.unlinked()
    this.channels.finishAll()
    this.#lasting.exposed.unlinked(this.#gone)
  }
}
