// One client's session: reads its messages, and runs its calls through their phases. The link alone says who the client is and what it
// may do; no message can change that. An invalid message is answered with an error, an invalid frame or record closes the session.
import { BatchReader, type CodecName, codecs } from '@sallyport/protocol/internal/codec'
import {
  BusError,
  createForgedError,
  createRecordError,
  findPlace,
  fromErrorObject,
  toBusError,
  toFrameError,
} from '@sallyport/protocol/internal/errors'
import {
  addTraceContext,
  type CallMessage,
  FIRST_CORE_CHANNEL,
  getRequestId,
  isResponseLike,
  METHOD,
  NODE_METHOD,
  parseCall,
  type RejectedParams,
  type RequestId,
  type TraceContext,
} from '@sallyport/protocol/internal/message'
import type { Opener } from '@sallyport/protocol/internal/records'
import { countStreams, createGuard, type Outcome, Streams } from '@sallyport/protocol/internal/rpc'
import { type AsyncContext, createEmptyContext, isCount, onNextTick } from '@sallyport/protocol/internal/util'
import { FRAME_KIND, type Link, type ReceivedFrame } from '@sallyport/protocol/internal/wire'
import type { Permits } from '../acl/authority.js'
import type { App } from '../api/app.js'
import { ResourceTable } from '../api/resources.js'
import { type Delivery, emitDropped, type EventRouter, type Payload } from '../events/router.js'
import { COUNT, type Counts, type SessionMetrics } from '../shared/metrics.js'
import { CallPhases, type CallTerms } from './call-phases.js'
import { type CallOwner, CallTable, getDisplayName, type IncomingCall } from './call-table.js'
import { ChannelTable } from './channels.js'
import type { ConfirmCaller, ConfirmRequests, Interrupts } from './approval.js'
import { FrontendCalls } from './frontend-calls.js'
import {
  commands,
  eventsReceived,
  eventsSent,
  publishEvent,
  type SessionEvents,
  traceCommand,
  type TraceSource,
} from './reports.js'
import { type AnswerScheduler, SessionWriter } from './writer.js'

export interface SessionOptions extends CallTerms {
  /** `undefined` for the host, which is trusted. */
  label: string | undefined
  /** Number of the host's frontend: see `LinkOffer`. */
  frontend?: number | undefined
  /** Of the host's frontend, over its restarts. @default this session's own */
  life?: object | undefined
  /** Label that quotas, prompts and other limits count for. @default `label` */
  limitLabel?: string | undefined
  maxConfirms?: number | undefined
  /** True for code outside of a sandbox, which gets the causes of errors, as the host does. */
  isTrusted?: boolean | undefined
  isOfRun?: boolean
  /** True for calls that subscribers of diagnostics channels must not see. */
  isUntraced?: boolean
  codec: CodecName
  link: Link
  /** Opens the records of the isolation pattern. If it is set, only records are read. */
  opener: Opener | undefined
  permits: Permits
  /** Whether its calls can interrupt it. Only a run has it. */
  interrupts?: Interrupts
  /** Decides when late answers leave. The sessions of a core share it. */
  scheduler: AnswerScheduler
  router: EventRouter
  app: App
  /** The sessions that share the limits of this one, with this one: those of the pages of a label. @default this one */
  peers?: ReadonlySet<Session> | undefined
  confirmRequests: ConfirmRequests
  metrics: SessionMetrics
  /** Returns a call's async context, if its caller is in this thread. */
  takeContext?: ((id: RequestId | undefined) => AsyncContext | undefined) | undefined
  events: SessionEvents
}

const countCalls = ({ calls }: Session): number => calls.size
const countResources = ({ resources }: Session): number => resources.size

export class Session implements CallOwner {
  readonly label: string | undefined
  readonly frontend: number | undefined
  readonly name: string
  readonly app: App
  readonly permits: Permits
  readonly life: object
  /** What handlers keep open for this frontend. `Sessions` closes it after the session has ended. */
  readonly resources: ResourceTable
  readonly peers: ReadonlySet<Session> | undefined
  readonly metrics: SessionMetrics
  readonly calls: CallTable
  readonly frontendCalls: FrontendCalls
  /** The trace in which the host has called `bus.run`, for the calls of its code, which has no tracer of its own. */
  runTrace: TraceContext | undefined
  readonly #options: SessionOptions
  readonly #counts: Counts
  readonly #traceSource: TraceSource
  readonly #reader = new BatchReader()
  readonly #reads: ReadScheduler
  readonly #writer: SessionWriter
  readonly #streams: Streams
  readonly #phases: CallPhases
  readonly #linkClosed: Promise<void>
  #isLeaving = false
  #isClosed = false

  constructor(options: SessionOptions) {
    const { label, codec, link, metrics, router, events } = options
    this.#options = options
    this.label = label
    this.frontend = options.frontend
    this.name = label ?? 'host'
    this.app = options.app
    this.permits = options.permits
    this.life = options.life ?? {}
    this.resources = new ResourceTable(
      error => events.resourceFailed(error),
      label,
      () => this.addUp(countResources),
    )
    this.peers = options.peers
    this.metrics = metrics
    this.#counts = metrics.counts
    this.#traceSource = { label: this.name, codec }
    this.#reads = new ReadScheduler(link, () => this.#serve())
    this.calls = new CallTable(this.#counts, (call, error) => void this.#phases.fail(call, error))
    this.#writer = new SessionWriter(link, codecs[codec], this.#counts, options.scheduler.schedule, {
      congested: () => this.#reads.pause(PAUSED.noRoom),
      drained: () => this.#reads.resume(PAUSED.noRoom),
      dropped: count => events.dropped(count),
      recovered: droppedCount => emitDropped(router, this, droppedCount),
    })
    this.#writer.sendsCauses = label === undefined || options.isTrusted === true
    this.#writer.sendsCommands = options.isOfRun === true
    const violated = (fault: BusError): void => this.#close(fault)
    this.#streams = new Streams({
      writer: this.#writer,
      toError: thrown => toBusError('', thrown),
      createCheck: () => createGuard(() => this.#counts[COUNT.bytesIn], violated),
      failed: error => this.frontendCalls.failed(error),
    })
    this.#streams.nextId = FIRST_CORE_CHANNEL
    const getTotal = (count = countStreams): number => this.addUp(session => count(session.#streams))
    const warn = (text: string): void => events.warned(text)
    const { registry, ownCommands, quotas, hasDeadlines, maxCalls, madeCalls } = options
    this.frontendCalls = new FrontendCalls(this.#traceSource, this.#writer, this.#counts, warn, this.#streams, getTotal)
    const lost = (error: BusError): void => events.mistaken('message lost', { place: findPlace(error) })
    // Each call asks, and few sessions have peers.
    const countInFlight = (): number => (this.peers ? this.addUp(countCalls) : this.calls.size)
    this.#phases = new CallPhases({
      session: this,
      channels: new ChannelTable(this.#streams, getTotal, lost),
      writer: this.#writer,
      ...{ registry, ownCommands, quotas, hasDeadlines, events, countInFlight, maxCalls, madeCalls },
    })
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
    this.#counts[COUNT.eventsIn] += 1
    if (eventsReceived.hasSubscribers) publishEvent(eventsReceived, this.#traceSource, event)
  }

  confirm(text: unknown, caller: ConfirmCaller): Promise<boolean> {
    return this.#options.confirmRequests.confirm(text, caller, this.#options)
  }

  get interrupts(): Interrupts {
    return this.#options.interrupts
  }

  reportSlowCall(command: string, ms: number): void {
    this.#options.events.slow(command, ms)
  }

  /** Updates the counts that are not kept up to date call by call. */
  updateCounts(): void {
    this.#counts[COUNT.inFlight] = this.calls.size
    this.#counts[COUNT.queued] = this.#isClosed ? 0 : this.#options.link.queued + this.#writer.waitingBytes
    this.#counts[COUNT.begun] = this.#isClosed ? 0 : (this.#options.link.begun ?? 0)
  }

  /** Resolves once all calls that are in flight now have settled, those of core too. */
  async drain(): Promise<void> {
    this.#phases.isDraining = true
    await Promise.all([this.calls.idle(), this.frontendCalls.settled()])
  }

  /** The code at the other end was closed: its calls end. What it has answered and emitted is still read, and its link ends the session. */
  leave(): void {
    this.#isLeaving = true
    this.#abortCalls()
  }

  /**
   * Ends the session from this side. Resolves once all answers are sent, or the peer has disconnected.
   *
   * @param isPatient - true if core ends: a peer that cannot run for long has the time that the host gives core
   */
  close(isPatient = false): Promise<void> {
    this.#options.link.isPatient = isPatient
    this.#close(undefined)
    return this.#linkClosed
  }

  readonly #receive = (frame: ReceivedFrame): void => {
    this.#counts[COUNT.bytesIn] += frame.body.length
    const { opener } = this.#options
    let messages: readonly unknown[]
    try {
      messages = opener ? this.#open(frame, opener) : this.#reader.read(frame.kind, frame.body)
    } catch (error) {
      return this.#close(toFrameError(error))
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
    this.#writer.cork()
    try {
      while (this.#reads.isReady) this.#serveMessage(this.#reads.take())
    } catch (error) {
      this.#close(new BusError('InternalError', 'A message was not handled', { cause: error }))
    } finally {
      // Events that a new listener of the host has missed are sent with the answer to its registration.
      if (this.label === undefined) this.#options.router.flushHeld()
      this.#writer.uncork()
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
    if (this.runTrace && call.headers?.['traceparent'] === undefined) addTraceContext(call, this.runTrace)
    // An event, which has no id, was sent before the end: nobody waits for it.
    if (this.#isLeaving && call.id !== undefined && !call.method.startsWith('$/')) return
    // One for each call of a frame: `enterWith` of a handler is not for those behind it.
    const context = this.#options.takeContext?.(call.id) ?? createEmptyContext()
    const isObserved = (this.metrics.watch || commands.hasSubscribers) && !call.method.startsWith('$/')
    context.runInAsyncScope(isObserved ? this.#observe : this.#run, this, call)
  }

  /** Runs a call while an inspector is open, or diagnostics channels have subscribers. */
  #observe(call: CallMessage): void {
    const run = (): Outcome | Promise<Outcome> => {
      if (!commands.hasSubscribers || this.#options.isUntraced) return this.#run(call)
      let outcome: Outcome | Promise<Outcome>
      traceCommand(this.#traceSource, call, () => (outcome = this.#run(call)))
      return outcome
    }
    const { watch } = this.metrics
    if (!watch) return void run()
    const isKnown = (command: string): boolean => this.label === undefined || this.#options.registry.has(command)
    watch.run(call, this.#phases.getWatchedName(call.method, call.headers), call.params, isKnown, run)
  }

  #run(call: CallMessage): Outcome | Promise<Outcome> {
    try {
      const outcome = call.method.startsWith('$/') ? this.#handleNotification(call) : this.#phases.run(call)
      // Answers that follow by promises alone leave as soon as these have settled.
      if (outcome instanceof Promise) this.#options.scheduler.flushAfterMicrotasks()
      return outcome
    } catch (error) {
      return this.#phases.fail(call, error)
    }
  }

  /** Handles a `$/…` message, which is the protocol's own. @throws {BusError} `InvalidRequest` */
  #handleNotification({ id, method, params }: CallMessage): Outcome | Promise<Outcome> {
    if (method === NODE_METHOD.sync && id !== undefined) return this.#writer.result(id, method, null)
    const { id: callId } = (params ?? {}) as Record<string, unknown>
    const notification = id === undefined ? method : undefined
    // Only a gate can send this: it seals what the frontend sends, and refuses this method.
    if (notification === NODE_METHOD.rejected && this.#options.opener) {
      const rejected = params as RejectedParams
      this.#writer.error(rejected.id, '', fromErrorObject(rejected.error))
    } else if (notification === METHOD.cancel && isCount(callId)) this.calls.cancel(callId)
    // Handlers that wait for a value, or for room, go on by promises.
    else if (notification && this.#streams.handle(notification, params)) this.#options.scheduler.flushAfterMicrotasks()
    else throw createForgedError(method)
    return undefined
  }

  /** @param fault the violation of the protocol because of which the session closes */
  #close(fault: BusError | undefined): void {
    if (fault) this.#writer.error(null, '', fault)
    this.#writer.finish()
    this.#options.link.close()
    this.#end(fault)
  }

  get #reason(): string {
    return `The frontend ${JSON.stringify(this.name)} disconnected`
  }

  #abortCalls(): readonly IncomingCall[] {
    return this.calls.abortAll(() => new BusError('Disconnected', this.#reason))
  }

  #end(fault: BusError | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#reads.stop()
    const { router, events } = this.#options
    const aborted = this.#abortCalls()
    for (const call of this.#phases.isDraining ? aborted : []) {
      events.warned('a call was still running when the bus closed', { command: getDisplayName(call) })
    }
    this.updateCounts()
    this.#streams.closeAll(this.#reason)
    this.frontendCalls.disconnect()
    router.dropSubscriber(this)
    if (fault) events.fault(fault)
    events.closed()
  }
}

/** Time that one session's messages can take in one tick, if others wait. */
const TIME_SLICE_MS = 2
/** Messages between two checks of the clock, at most: a check costs about a tenth of a short call. */
const CHECK_EVERY = 32
/** Time between two checks of the clock. Slow messages make checks more frequent. */
const CHECK_INTERVAL_MS = 0.5

/** Reasons to read nothing, as bits. */
const PAUSED = { noRoom: 1, timeSliceUsed: 2 } as const

const NO_MESSAGES: readonly never[] = []

/**
 * Schedules what a session reads: nothing while the link to its frontend has no room, and at most one time slice per tick, so that a busy
 * frontend cannot starve the others. Unread messages stay in the link, which makes the frontend wait.
 */
export class ReadScheduler {
  readonly #link: Pick<Link, 'pause' | 'resume'>
  readonly #serve: () => void
  /** Messages of the latest frame. Those from `#next` on are unread. */
  #messages: readonly unknown[] = NO_MESSAGES
  #next = 0
  #paused = 0
  #messagesPerCheck = CHECK_EVERY
  #messagesUntilCheck = CHECK_EVERY
  #checkedAt = 0
  #tick = -1
  #tickStartedAt = 0
  #tickCountedAt = 0

  /** @param serve called when reading goes on after a pause: serves messages while the scheduler `isReady` */
  constructor(link: Pick<Link, 'pause' | 'resume'>, serve: () => void) {
    this.#link = link
    this.#serve = serve
  }

  /** Adds the messages of a frame. Returns true if they can be served now. 4 KiB count as a message: large ones take longer. */
  add(messages: readonly unknown[], bytes: number): boolean {
    this.#messagesUntilCheck -= bytes >> 12
    const hasUnread = this.#next < this.#messages.length
    this.#messages = hasUnread ? [...this.#messages.slice(this.#next), ...messages] : messages
    this.#next = 0
    return this.#paused === 0
  }

  /** True if `take` may be called. Checks the clock now and then. */
  get isReady(): boolean {
    if (this.#messagesUntilCheck <= 0) this.#checkClock()
    return this.#paused === 0 && this.#next < this.#messages.length
  }

  take(): unknown {
    this.#messagesUntilCheck--
    return this.#messages[this.#next++]
  }

  pause(reason: number): void {
    if (this.#paused === 0) this.#link.pause()
    this.#paused |= reason
  }

  /** Undoes `pause` with this reason. Reading goes on once no reason is left. */
  resume(reason: number): void {
    if ((this.#paused & reason) === 0) return
    this.#paused &= ~reason
    if (this.#paused === 0 && this.#next < this.#messages.length) this.#serve()
    if (this.#paused === 0) this.#link.resume()
  }

  stop(): void {
    this.#messages = NO_MESSAGES
  }

  #checkClock(): void {
    const now = performance.now()
    // Still within the interval, or on a new tick: check half as often.
    let messagesPerCheck = this.#messagesPerCheck * 2
    // Ticks are not counted at each check, because counting keeps the event loop from sleeping for one tick.
    if (now - this.#tickCountedAt >= CHECK_INTERVAL_MS) {
      this.#tickCountedAt = now
      const tick = getTickCount()
      if (tick !== this.#tick) {
        this.#tick = tick
        this.#tickStartedAt = now
      } else {
        messagesPerCheck = Math.floor((CHECK_INTERVAL_MS * this.#messagesPerCheck) / (now - this.#checkedAt))
        if (now - this.#tickStartedAt >= TIME_SLICE_MS) {
          this.pause(PAUSED.timeSliceUsed)
          onNextTick(() => this.resume(PAUSED.timeSliceUsed))
        }
      }
    }
    this.#checkedAt = now
    this.#messagesUntilCheck = this.#messagesPerCheck = Math.max(1, Math.min(CHECK_EVERY, messagesPerCheck))
  }
}

let tickCount = 0
let isCounting = false

/** Returns a number that grows with each tick in which it is asked for. The event loop does not sleep before the next tick. */
function getTickCount(): number {
  if (isCounting) return tickCount
  isCounting = true
  onNextTick(() => {
    isCounting = false
    tickCount++
  })
  return tickCount
}
