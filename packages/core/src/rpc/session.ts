// One frontend's way in: open → decode → authorize → dispatch → respond. What the frontend is and may do is known by the
// link that its messages come in on; nothing in a message can change it. A bad message gets a typed error; a bad frame or
// record closes the session.
import {
  BatchReader,
  BusError,
  type CallMessage,
  type CodecName,
  describeCommand,
  toBusError,
  FRAME_KIND,
  getRequestId,
  isBusError,
  isMeantAsAnswer,
  isThenable,
  type Link,
  METHOD,
  type Opener,
  type Outcome,
  parseCall,
  type ReceivedFrame,
  recordRefused,
} from '@sallyport/protocol'
import type { Permits } from '../acl/authority.js'
import type { App } from '../api/app.js'
import type { Resources } from '../api/resources.js'
import type { Delivery, Payload } from '../events/delivery.js'
import { tellDropped } from '../events/frontend-events.js'
import type { EventRouter } from '../events/router.js'
import { COUNT, type SessionMetrics } from '../shared/metrics.js'
import { flushAfterMicrotasks } from './batching.js'
import { CallTable, getTimeout } from './call-table.js'
import { Call, type CallOwner, getName } from './call.js'
import { ChannelTable } from './channel.js'
import type { ConfirmRequests } from './confirm.js'
import { FrontendCalls } from './frontend-calls.js'
import { PAUSED, ReadScheduler } from './read-scheduler.js'
import { type CommandRegistry, notFound } from './registry.js'
import type { Busy } from './slow-calls.js'
import { sendAll } from './stream.js'
import { commands, eventsReceived, eventsSent, type From, tellEvent, traceCommand } from './tracing.js'
import { SessionWriter } from './writer.js'

// The bus's own housekeeping: what a frontend tells core of its calls and channels. No command is called by it, and nothing is
// answered, but for what is none of it.

/** @throws BusError `InvalidRequest` for what no frontend may send */
function handleProtocolNotification(
  { id, method, params }: CallMessage,
  calls: CallTable,
  channels: ChannelTable,
): undefined {
  const { id: cancelled, channel, messages } = (params ?? {}) as Record<string, unknown>
  if (id === undefined && method === METHOD.cancel && isCount(cancelled)) calls.cancel(cancelled)
  else if (id === undefined && method === METHOD.credit && isCount(channel) && isCount(messages)) {
    flushAfterMicrotasks()
    channels.credit(channel, messages)
  } else if (id === undefined && method === METHOD.closeChannel && isCount(channel)) channels.close(channel)
  else throw new BusError('InvalidRequest', `${describeCommand(method)} is not one that a frontend may send`)
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

// From a frame to the messages in it: open, where the frontend is isolated, then decode. Whatever fails here closes the
// session.

export class FrameDecoder {
  readonly #opener: Opener | undefined
  readonly #reader = new BatchReader()

  constructor(opener: Opener | undefined) {
    this.#opener = opener
  }

  /** The messages of a frame: none of one that holds an attachment. @throws BusError `InvalidRequest` or `ParseError` */
  read(frame: ReceivedFrame): readonly unknown[] {
    if (!this.#opener) return this.#reader.read(frame.kind, frame.body)
    // Nothing in clear is taken in the isolation pattern.
    if (frame.kind !== FRAME_KIND.sealed) throw recordRefused()
    const { kind, body, count } = this.#opener.open(frame.body)
    const messages = this.#reader.read(kind, body)
    if (messages.length !== count) throw new BusError('InvalidRequest', 'The record’s count is not that of its batch')
    return messages
  }
}

type Answered = Pick<CallMessage, 'id' | 'method'>

export class Session implements CallOwner, Busy {
  readonly label: string | undefined
  readonly ask: CallOwner['ask'] = (...asked) => this.#options.questions.ask(...asked)
  readonly #calls: CallTable
  readonly #meter: SessionMetrics
  readonly #options: SessionOptions
  readonly #inbox: FrameDecoder
  readonly #replies: SessionWriter
  readonly #intake: ReadScheduler
  readonly #channels: ChannelTable
  readonly #linkClosed: Promise<void>
  readonly #exposed: FrontendCalls
  readonly #from: From
  #draining = false
  #closed = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.label = options.label
    this.#inbox = new FrameDecoder(options.opener)
    this.#meter = options.meter
    const { link, codec, report, router, meter } = options
    this.#from = { label: options.label ?? 'host', codec }
    this.#calls = new CallTable(meter.counts, (call, error) => void this.#fail(call, error))
    this.#replies = new SessionWriter(link, codec, meter.counts, {
      stalled: on => (on ? this.#intake.hold(PAUSED.noRoom) : this.#intake.release(PAUSED.noRoom)),
      dropped: report.dropped,
      tellDropped: count => tellDropped(router, this, count),
    })
    const served = (): void => void (meter.counts[COUNT.inFlight] = this.#calls.size)
    this.#intake = new ReadScheduler({
      link,
      serve: message => this.#serve(message),
      replies: this.#replies.out,
      served,
    })
    this.#channels = new ChannelTable(this.#replies)
    this.#exposed = new FrontendCalls(this.#from, this.#replies, meter.counts, report.warn)
    this.#linkClosed = new Promise(resolve => {
      link.receive({ frame: frame => this.#receive(frame), closed: fault => resolve(this.#end(fault)) })
    })
  }

  deliver(delivery: Delivery, payload: Payload): void {
    this.#replies.event(delivery, payload)
    if (eventsSent.hasSubscribers) tellEvent(eventsSent, this.#from, delivery.event)
  }

  emitted(event: unknown): void {
    this.#meter.counts[COUNT.eventsIn]! += 1
    if (eventsReceived.hasSubscribers) tellEvent(eventsReceived, this.#from, event)
  }

  get running(): readonly Call[] {
    return this.#calls.running
  }

  slow(command: string, ms: number): void {
    this.#options.report.slow(command, ms)
  }

  /** What is not counted as it comes and goes is looked up for whoever reads the counts. */
  measure(): void {
    const { counts } = this.#meter
    counts[COUNT.inFlight] = this.#calls.size
    counts[COUNT.queued] = this.#closed ? 0 : this.#options.link.queued + this.#replies.out.waiting
  }

  /** Calls a function that the frontend exposes. */
  call(...call: Parameters<FrontendCalls['call']>): Promise<unknown> {
    return this.#exposed.call(...call)
  }

  /** Takes no further call, and resolves once those that run have ended. */
  drain(): Promise<void> {
    this.#draining = true
    return this.#calls.idle()
  }

  /** Ends the session from this side. Resolves once what was answered has gone out, or the frontend is gone. */
  close(): Promise<void> {
    this.#replies.out.finish()
    this.#options.link.close()
    this.#end(undefined)
    return this.#linkClosed
  }

  #receive(frame: ReceivedFrame): void {
    this.#meter.counts[COUNT.bytesIn]! += frame.body.byteLength
    let messages: readonly unknown[]
    try {
      messages = this.#inbox.read(frame)
    } catch (error) {
      return this.#fault(isBusError(error) ? error : new BusError('InternalError', 'The frame could not be read'))
    }
    this.#intake.take(messages)
  }

  #serve(message: unknown): void {
    if (isMeantAsAnswer(message)) return this.#exposed.take(message)
    let call: CallMessage
    try {
      call = parseCall(message)
    } catch (error) {
      return void this.#replies.error(getRequestId(message), '', error as BusError)
    }
    if (!commands.hasSubscribers || call.method.startsWith('$/')) void this.#run(call)
    else traceCommand(this.#from, call, () => this.#run(call))
  }

  #run(call: CallMessage): Outcome | Promise<Outcome> {
    try {
      if (call.method.startsWith('$/')) return handleProtocolNotification(call, this.#calls, this.#channels)
      return this.#dispatch(call)
    } catch (error) {
      return this.#fail(call, error)
    }
  }

  #dispatch(message: CallMessage): Outcome | Promise<Outcome> {
    const { id, method, params = {}, headers = {} } = message
    const { registry, permits, app, resources, deadlines } = this.#options
    const began = this.#meter.begin()
    if (this.#draining) throw new BusError('Disconnected', 'The bus is closing', { data: { delivered: 'no' } })
    const command = registry.get(method)
    if (!command) throw new BusError('MethodNotFound', notFound(method, registry))
    const denial = permits.check(command)
    if (denial) throw this.#deny(method, denial)
    this.#calls.admit(id)
    const patience = deadlines ? getTimeout(headers) : undefined
    const opened = this.#channels.bind(params)
    const stream = message.headers === undefined ? undefined : this.#channels.openStream(headers, opened)
    const call = new Call({
      id,
      app,
      resources,
      label: this.#from.label,
      command,
      permits,
      request: { headers, body: params },
      home: this,
      channels: stream === undefined ? opened : [...opened, stream],
    })
    try {
      const result = command.run(params, call)
      if (stream !== undefined) return this.#await(call, sendAll(result, stream, method, call.signal), 0, patience)
      if (isThenable(result)) return this.#await(call, Promise.resolve(result), began, patience)
      if (began !== 0 && id !== undefined) this.#meter.end(began)
      return this.#succeed(message, result)
    } catch (error) {
      call.endChannels()
      throw error
    }
  }

  #deny(method: string, denial: BusError): BusError {
    this.#meter.counts[COUNT.denied]! += 1
    this.#options.report.denied(method)
    return denial
  }

  /** A call that was taken out meanwhile was cancelled, or its frontend is gone: its answer has nowhere to go. */
  #await(call: Call, result: Promise<unknown>, began: number, patience: number | undefined): Promise<Outcome> {
    // Few are timed: the others carry nothing for it.
    if (began !== 0) this.#meter.endWith(result, began)
    flushAfterMicrotasks()
    this.#calls.add(call, patience)
    return result.then(
      value => (this.#calls.remove(call) ? this.#succeed(call, value) : call.givenUp),
      (error: unknown) => {
        call.endChannels()
        return this.#calls.remove(call) || call.id === undefined ? this.#fail(call, error) : call.givenUp
      },
    )
  }

  #succeed({ id, method }: Answered, value: unknown): Outcome {
    return id === undefined ? undefined : this.#replies.result(id, method, value)
  }

  #fail({ id, method }: Answered, thrown: unknown): BusError {
    this.#meter.counts[COUNT.failures]! += 1
    const error = toBusError(method, thrown)
    if (id !== undefined) return this.#replies.error(id, method, error)
    this.#options.report.warn('failed, and nobody waits for its answer', { command: method, reason: error.reason })
    return error
  }

  #fault(error: BusError): void {
    this.#replies.error(null, '', error)
    this.#replies.out.finish()
    this.#options.link.close()
    this.#end(error)
  }

  #end(fault: BusError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#intake.stop()
    const gone = `The frontend ${JSON.stringify(this.#from.label)} is gone`
    const cutOff = this.#calls.abortAll(new BusError('Disconnected', gone))
    if (this.#draining) {
      const reason = 'Disconnected'
      for (const call of cutOff) {
        this.#options.report.warn('still ran as the bus was closed', { command: getName(call), reason })
      }
    }
    this.measure()
    this.#channels.abandonAll(gone)
    this.#exposed.end(gone)
    this.#options.router.dropHome(this)
    if (fault) this.#options.report.fault(this.#from.label, fault)
    this.#options.report.closed()
  }
}

// What a session is made of, and what it tells.

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
  questions: ConfirmRequests
  /** What is counted of it. */
  meter: SessionMetrics
  /** Calls bring their deadlines along, which end them here too. */
  deadlines: boolean
  report: SessionReport
}

/** What a session tells: suspicious activity, and its end. */
export interface SessionReport {
  denied(command: string): void
  /** For the log: what has nobody to be answered to, or an answer to nothing. */
  warn(text: string, about?: { command: string; reason: string }): void
  /** A call runs for so many milliseconds already. */
  slow(command: string, ms: number): void
  fault(label: string, error: BusError): void
  /** Events that this frontend was too slow for. */
  dropped(count: number): void
  closed(): void
}
