// One client's session: decode, authorize, dispatch, respond. The link alone says who the client is and what it may do; no
// message can change that. An invalid message is answered with an error, an invalid frame or record closes the session.
import {
  BatchReader,
  BusError,
  type CallHeaders,
  type CallMessage,
  type CodecName,
  codecs,
  describeCommand,
  FRAME_KIND,
  fromErrorObject,
  getRequestId,
  isBusError,
  isResponseLike,
  isThenable,
  type Link,
  METHOD,
  type Opener,
  type Outcome,
  parseCall,
  type ReceivedFrame,
  type RejectedParams,
  type RequestId,
  STREAM_METHOD,
  createRecordError,
  toBusError,
} from '@sallyport/protocol/internal'
import type { Permits } from '../acl/authority.js'
import type { App } from '../api/app.js'
import type { ResourceTable } from '../api/resources.js'
import type { Delivery, Payload } from '../events/delivery.js'
import { emitDropped } from '../events/frontend-events.js'
import type { EventRouter } from '../events/router.js'
import type { CallerWatch } from '../shared/call-watch.js'
import { COUNT, type SessionMetrics } from '../shared/metrics.js'
import { isCount } from '../shared/validate.js'
import { flushAfterMicrotasks } from './answer-scheduler.js'
import { Call, type CallOwner, CallTable, getCallName, getDisplayName, getTimeout } from './call-table.js'
import { type CallChannel, ChannelTable } from './channel.js'
import type { ConfirmCaller, ConfirmRequests } from './confirm.js'
import { FrontendCalls } from './frontend-calls.js'
import { PAUSED, ReadScheduler } from './read-scheduler.js'
import { type CommandRegistry, describeNotFound } from './registry.js'
import { SessionQueue } from './session-queue.js'
import { sendAll } from './stream.js'
import { commands, eventsReceived, eventsSent, publishEvent, traceCommand, type TraceSource } from './tracing.js'
import { SessionWriter } from './writer.js'

export interface SessionOptions {
  /** `undefined` for the host, which is trusted. */
  label: string | undefined
  /** Label that quotas, prompts and other limits count for. @default `label` */
  limitLabel?: string | undefined
  /** True for calls that subscribers of diagnostics channels must not see. */
  isUntraced?: boolean
  codec: CodecName
  link: Link
  /** Opens the records of the isolation pattern. If it is set, only records are read. */
  opener: Opener | undefined
  permits: Permits
  registry: CommandRegistry
  router: EventRouter
  app: App
  /** Resources that handlers keep open for this frontend. `Sessions` closes them after the session has ended. */
  resources: ResourceTable
  /** The sessions that share the limits of this one, with this one: those of the pages of a label. @default this one */
  peers?: ReadonlySet<Session> | undefined
  confirmRequests: ConfirmRequests
  metrics: SessionMetrics
  /** Bytes of messages of one channel that can be in flight. @default CHANNEL_READ_AHEAD */
  readAhead?: number | undefined
  /** True if calls carry deadlines that end them here, too. */
  hasDeadlines: boolean
  events: SessionEvents
}

export interface SessionEvents {
  denied(command: string, hint: string): void
  /** Something is to be logged that cannot be answered. */
  warned(text: string, fields?: { command: string; reason: string }): void
  slow(command: string, ms: number): void
  /** The peer violated the protocol, and the session closes. */
  fault(error: BusError): void
  /** Events were dropped because the frontend read too slowly. */
  dropped(count: number): void
  closed(): void
}

const countCalls = ({ calls }: Session): number => calls.size

const NO_CHANNELS: readonly CallChannel[] = []

export class Session implements CallOwner {
  readonly label: string | undefined
  readonly name: string
  readonly app: App
  readonly permits: Permits
  readonly resources: ResourceTable
  readonly peers: ReadonlySet<Session> | undefined
  readonly metrics: SessionMetrics
  readonly calls: CallTable
  readonly frontendCalls: FrontendCalls
  readonly #options: SessionOptions
  readonly #counts: Float64Array
  readonly #traceSource: TraceSource
  readonly #reader = new BatchReader()
  readonly #reads: ReadScheduler
  readonly #queue: SessionQueue
  readonly #writer: SessionWriter
  readonly #channels: ChannelTable
  readonly #linkClosed: Promise<void>
  #isDraining = false
  #isClosed = false

  constructor(options: SessionOptions) {
    const { label, codec, link, metrics, router, events } = options
    this.#options = options
    this.label = label
    this.name = label ?? 'host'
    this.app = options.app
    this.permits = options.permits
    this.resources = options.resources
    this.peers = options.peers
    this.metrics = metrics
    this.#counts = metrics.counts
    this.#traceSource = { label: this.name, codec }
    this.#reads = new ReadScheduler(link, () => this.#serve())
    this.calls = new CallTable(this.#counts, (call, error) => void this.#fail(call, error))
    this.#queue = new SessionQueue(link, codecs[codec], this.#counts, {
      congested: () => this.#reads.pause(PAUSED.noRoom),
      drained: () => this.#reads.resume(PAUSED.noRoom),
      dropped: events.dropped,
      recovered: droppedCount => emitDropped(router, this, droppedCount),
    })
    this.#writer = new SessionWriter(this.#queue, codecs[codec], this.#counts)
    this.frontendCalls = new FrontendCalls(this.#traceSource, this.#writer, this.#counts, events.warned)
    const getChannelCount = (): number => this.addUp(session => session.#channels.size)
    const { frontendCalls } = this
    this.#channels = new ChannelTable(this.#writer, this.#queue, frontendCalls, options.readAhead, getChannelCount)
    this.#linkClosed = new Promise(resolve => {
      link.receive({
        readsImmediately: true,
        frame: this.#receive,
        closed: fault => resolve(this.#end(fault)),
      })
    })
  }

  /** Adds up what this session has open, and the sessions that share its limits. */
  addUp(count: (session: Session) => number): number {
    if (!this.peers) return count(this)
    let total = 0
    for (const session of this.peers) total += count(session)
    return total
  }

  deliver(delivery: Delivery, payload: Payload): void {
    this.#writer.event(delivery, payload)
    if (eventsSent.hasSubscribers) publishEvent(eventsSent, this.#traceSource, delivery.event)
  }

  emitted(event: unknown): void {
    this.#counts[COUNT.eventsIn]! += 1
    if (eventsReceived.hasSubscribers) publishEvent(eventsReceived, this.#traceSource, event)
  }

  confirm(text: unknown, caller: ConfirmCaller): Promise<boolean> {
    return this.#options.confirmRequests.confirm(text, caller, this.#options.limitLabel)
  }

  reportSlowCall(command: string, ms: number): void {
    this.#options.events.slow(command, ms)
  }

  /** Updates the counts that are not kept up to date call by call. */
  updateCounts(): void {
    this.#counts[COUNT.inFlight] = this.calls.size
    this.#counts[COUNT.queued] = this.#isClosed ? 0 : this.#options.link.queued + this.#queue.waitingBytes
  }

  /** Rejects further calls. Resolves once the running ones have ended. */
  drain(): Promise<void> {
    this.#isDraining = true
    return this.calls.idle()
  }

  /** Ends the session from this side. Resolves once all answers are sent, or the peer has disconnected. */
  close(): Promise<void> {
    this.#close(undefined)
    return this.#linkClosed
  }

  readonly #receive = (frame: ReceivedFrame): void => {
    this.#counts[COUNT.bytesIn]! += frame.body.length
    const { opener } = this.#options
    let messages: readonly unknown[]
    try {
      messages = opener ? this.#open(frame, opener) : this.#reader.read(frame.kind, frame.body)
    } catch (error) {
      return this.#close(isBusError(error) ? error : new BusError('InternalError', 'The frame could not be read'))
    }
    if (this.#reads.add(messages, frame.body.length)) this.#serve()
  }

  /** Returns the messages of a record. An attachment has none, and waits for its message. @throws {BusError} `InvalidRequest`, `ParseError` */
  #open(frame: ReceivedFrame, opener: Opener): readonly unknown[] {
    // In the isolation pattern plaintext is refused.
    if (frame.kind !== FRAME_KIND.sealed || typeof frame.body === 'string') throw createRecordError()
    const { kind, body, count } = opener.open(frame.body)
    const messages = this.#reader.read(kind, body)
    if (messages.length === count) return messages
    throw new BusError('InvalidRequest', 'The message count of the record differs from that of its batch')
  }

  /** Serves messages as long as the read scheduler allows. Answers that are ready immediately leave in one frame. */
  #serve(): void {
    this.#queue.cork()
    try {
      while (this.#reads.isReady) this.#serveMessage(this.#reads.take())
    } finally {
      // Events that a new listener of the host has missed are sent with the answer to its registration.
      if (this.label === undefined) this.#options.router.flushHeld()
      this.#queue.uncork()
      this.#counts[COUNT.inFlight] = this.calls.size
    }
  }

  #serveMessage(message: unknown): void {
    const isCall = (message as { method?: unknown } | null)?.method !== undefined
    if (!isCall && isResponseLike(message)) return this.frontendCalls.settle(message)
    let call: CallMessage
    try {
      call = parseCall(message)
    } catch (error) {
      return void this.#writer.error(getRequestId(message), '', error as BusError)
    }
    const { watch } = this.metrics
    if (watch !== undefined && !call.method.startsWith('$/')) return this.#watch(call, watch)
    if (!commands.hasSubscribers || call.method.startsWith('$/') || this.#options.isUntraced) void this.#run(call)
    else traceCommand(this.#traceSource, call, () => this.#run(call))
  }

  /** Runs a call while an inspector is open. */
  #watch(call: CallMessage, watch: CallerWatch): void {
    const isKnown = (command: string): boolean => this.label === undefined || this.#options.registry.has(command)
    watch.run(this.#getWatchedName(call.method, call.headers), isKnown, () => {
      if (!commands.hasSubscribers) return this.#run(call)
      let outcome: Outcome | Promise<Outcome>
      traceCommand(this.#traceSource, call, () => (outcome = this.#run(call)))
      return outcome
    })
  }

  /** Only the host has a command that calls functions of frontends. */
  #getWatchedName(method: string, headers: CallHeaders | undefined): string {
    return this.label === undefined ? getCallName(method, headers) : method
  }

  #run(call: CallMessage): Outcome | Promise<Outcome> {
    try {
      return call.method.startsWith('$/') ? this.#handleNotification(call) : this.#dispatch(call)
    } catch (error) {
      return this.#fail(call, error)
    }
  }

  #dispatch(message: CallMessage): Outcome | Promise<Outcome> {
    const { id, method, params = {}, headers = {} } = message
    const { registry, hasDeadlines } = this.#options
    this.#counts[COUNT.calls]! += 1
    const startedAt = this.metrics.begin()
    if (this.#isDraining) throw new BusError('Disconnected', 'The bus is closing', { data: { delivered: 'no' } })
    const command = registry.get(method)
    if (!command) throw new BusError('MethodNotFound', describeNotFound(method, registry))
    const denial = this.permits.check(command)
    if (denial) {
      this.#counts[COUNT.denied]! += 1
      this.#options.events.denied(method, this.permits.getHint(command))
      throw denial
    }
    this.calls.checkAdmission(id, this.peers && this.addUp(countCalls))
    const timeoutMs = hasDeadlines ? getTimeout(headers) : undefined
    const opened = message.channels === undefined ? NO_CHANNELS : this.#channels.bind(params, message.channels)
    const stream = message.headers === undefined ? undefined : this.#channels.openStream(headers, opened)
    const channels = stream === undefined ? opened : [...opened, stream]
    const call = new Call(this, id, command, { headers, body: params }, channels)
    try {
      const result = command.run(params, call)
      if (stream !== undefined) return this.#await(call, sendAll(result, stream, method, call.signal), 0, timeoutMs)
      if (isThenable(result)) return this.#await(call, Promise.resolve(result), startedAt, timeoutMs)
      if (startedAt !== 0 && id !== undefined) {
        const nanoseconds = this.metrics.end(startedAt)
        this.metrics.watch?.addDuration(method, nanoseconds)
      }
      if (opened.length > 0) call.releaseChannels()
      return id === undefined ? undefined : this.#writer.result(id, method, result)
    } catch (error) {
      call.failChannels()
      throw error
    }
  }

  /** @param startedAt 0 if the call is not timed */
  #await(call: Call, result: Promise<unknown>, startedAt: number, timeoutMs: number | undefined): Promise<Outcome> {
    if (startedAt !== 0) {
      const { watch } = this.metrics
      const name = watch && this.#getWatchedName(call.method, call.request.headers)
      this.metrics.endWith(result, startedAt, watch && (duration => watch.addDuration(name!, duration)))
    }
    flushAfterMicrotasks()
    this.calls.add(call, timeoutMs)
    return result.then(
      // A call that was removed before was cancelled or expired, or its session has ended: it is not answered.
      value => {
        call.releaseChannels()
        if (!this.calls.remove(call)) return call.abortReason
        return call.id === undefined ? undefined : this.#writer.result(call.id, call.method, value)
      },
      (error: unknown) => {
        call.failChannels()
        return this.calls.remove(call) || call.id === undefined ? this.#fail(call, error) : call.abortReason
      },
    )
  }

  #fail(call: CallMessage | Call, thrown: unknown): BusError {
    const { id, method } = call
    this.#counts[COUNT.failures]! += 1
    const error = toBusError(method, thrown)
    const { watch } = this.metrics
    if (watch) {
      const { headers } = 'request' in call ? call.request : call
      watch.addFailure(this.#getWatchedName(method, headers), error.reason)
    }
    if (id !== undefined) return this.#writer.error(id, method, error)
    this.#options.events.warned('a call without an id failed', { command: method, reason: error.reason })
    return error
  }

  /** Handles a `$/…` message, which is the protocol's own. @throws {BusError} `InvalidRequest` */
  #handleNotification({ id, method, params }: CallMessage): undefined {
    if (method === METHOD.sync && id !== undefined) return void this.#writer.result(id, method, null)
    const { id: callId, channel, bytes, stream } = (params ?? {}) as Record<string, unknown>
    if (method === STREAM_METHOD.next && id !== undefined && isCount(stream)) return this.#sendNext(id, stream)
    const notification = id === undefined ? method : undefined
    // Only a gate can send this: it seals what the frontend sends, and refuses this method.
    if (notification === METHOD.rejected && this.#options.opener) {
      const rejected = params as RejectedParams
      this.#writer.error(rejected.id, '', fromErrorObject(rejected.error))
    } else if (notification === METHOD.cancel && isCount(callId)) this.calls.cancel(callId)
    else if (notification === METHOD.credit && isCount(channel) && isCount(bytes)) {
      flushAfterMicrotasks()
      this.#channels.credit(channel, bytes)
    } else if (notification === METHOD.closeChannel && isCount(channel)) this.#channels.close(channel)
    else if (notification === STREAM_METHOD.return && isCount(stream)) this.frontendCalls.sentStreams.close(stream)
    else throw new BusError('InvalidRequest', `${describeCommand(method)} cannot be sent by a frontend`)
  }

  /** Answers the frontend's request for the next value of a stream that core has passed to one of its functions. */
  #sendNext(id: RequestId, stream: number): undefined {
    flushAfterMicrotasks()
    void this.frontendCalls.sentStreams.next(stream).then(
      value => this.#writer.result(id, STREAM_METHOD.next, value),
      (error: unknown) => this.#writer.error(id, STREAM_METHOD.next, toBusError(STREAM_METHOD.next, error)),
    )
  }

  /** @param fault the violation of the protocol because of which the session closes */
  #close(fault: BusError | undefined): void {
    if (fault) this.#writer.error(null, '', fault)
    this.#queue.finish()
    this.#options.link.close()
    this.#end(fault)
  }

  #end(fault: BusError | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#reads.stop()
    const { router, events } = this.#options
    const reason = `The frontend ${JSON.stringify(this.name)} disconnected`
    const aborted = this.calls.abortAll(new BusError('Disconnected', reason))
    for (const call of this.#isDraining ? aborted : []) {
      const fields = { command: getDisplayName(call), reason: 'Disconnected' }
      events.warned('a call was still running when the bus closed', fields)
    }
    this.updateCounts()
    this.#channels.abandonAll(reason)
    this.frontendCalls.disconnect()
    router.dropSubscriber(this)
    if (fault) events.fault(fault)
    events.closed()
  }
}
