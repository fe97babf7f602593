// The gate: decodes the frontend's messages, shows them to the hook, and encodes and seals the messages that pass, in order and batch by
// batch. Notifications of the bus itself (`$/…`) contain nothing of the user: the hook does not see them. A value of a stream is an answer.
import { BatchReader, type Codec, codecs, type PackedMessage } from '@sallyport/protocol/internal/codec'
import {
  type CallMessage,
  getRequestId,
  isResponseLike,
  METHOD,
  NODE_METHOD,
  parseCall,
  parseResponse,
  type RejectedParams,
  type RequestId,
} from '@sallyport/protocol/internal/message'
import type { Sealer } from '@sallyport/protocol/internal/records'
import { BoundedQueue, type SamplingTimer, Throttle } from '@sallyport/protocol/internal/util'
import {
  CHANNEL_MESSAGE_COST,
  type Frame,
  FRAME_KIND,
  type Link,
  MAX_GATE_QUEUE_BYTES,
  MAX_IN_FLIGHT,
  type ReceivedFrame,
} from '@sallyport/protocol/internal/wire'
import { BusError, createForgedError, toErrorObject, toFrameError } from '@sallyport/protocol/internal/errors'
import {
  detachAttachments,
  EventBatch,
  LONG_FRAME_BYTES,
  MIN_FULL_RECORD,
  Outbox,
  packMessage,
} from '@sallyport/protocol/internal/rpc'
import { type Hook, NOT_SERIALIZABLE, OVERLOADED, type Rejection, type Verdict } from '../hook/hook.js'
import type { HookWatch } from '../hook/hook-watch.js'
import {
  encodeErrorResponse,
  encodePassed,
  type FrontendMessage,
  getName,
  isCall,
  type PassedEncoding,
  toAnswer,
  toHookMessage,
  toRejectionError,
} from './hook-messages.js'

export interface GateOptions {
  /** The frontend's messages arrive, records for core leave. */
  link: Link
  sealer: Sealer
  hook: Hook
  /** Measures each message from when it is shown to the hook until it is encoded again, or rejected. */
  hookTimer: SamplingTimer
  /** Measures each record, which can contain many messages. */
  sealTimer: SamplingTimer
  watch: HookWatch
  /** @param more - how many other rejections are not reported individually */
  rejected(command: string, why: string, more: number): void
  /** @param fault - set if the frontend has violated the protocol */
  closed(fault?: BusError): void
}

type Judgement = PassedEncoding | Rejection

/** Serves the gate until its link closes. An invalid frame closes the link. */
export const serveGate = (options: GateOptions): void => void new Gate(options)

class Gate {
  readonly #options: GateOptions
  readonly #link: Link
  readonly #records: Outbox
  /** Events that passed one after the other, which share a message in a record. */
  readonly #events: EventBatch
  readonly #reader = new BatchReader()
  readonly #rejections: Throttle<readonly [command: string, why: string]>
  /** Messages whose verdict is late, and those behind them. Their hooks do not wait. */
  readonly #queue = new BoundedQueue<QueuedMessage>()
  /** Called once no message waits any more. */
  #onDecided: (() => void) | undefined
  /** True while core has no room for records. */
  #isLinkFull = false
  #isPaused = false
  /** Bytes of attachments for the next message. */
  #attachedBytes = 0
  /** Average bytes of a message of the current frame. */
  #messageBytes = 0

  constructor(options: GateOptions) {
    const { link } = options
    this.#options = options
    this.#link = link
    this.#rejections = new Throttle(([command, why], more) => options.rejected(command, why, more))
    this.#records = new Outbox(this.#send)
    this.#events = new EventBatch(this.#records)
    link.receive({ readsImmediately: true, isShared: true, frame: this.#receive, closed: fault => this.#closed(fault) })
  }

  readonly #receive = ({ kind, body }: ReceivedFrame): void => {
    try {
      const codec = kind === FRAME_KIND.msgpack ? codecs.msgpack : codecs.json
      const messages = this.#reader.read(kind, body)
      this.#records.maxMessages = getFullRecord(messages.length, body.length)
      this.#attachedBytes += body.length
      if (messages.length === 0) return
      this.#messageBytes = this.#attachedBytes / messages.length
      this.#attachedBytes = 0
      for (const message of messages) this.#handle(message, codec)
    } catch (error) {
      const fault = toFrameError(error)
      this.#refuse(null, fault, codecs.json)
      void this.#closed(fault)
      this.#link.close()
    }
  }

  /** The frontend sends nothing more: the messages in the hook are decided, and all that pass leave. After a fault, they are dropped. */
  async #closed(fault: BusError | undefined): Promise<void> {
    if (!fault && this.#queue.size > 0) await new Promise<void>(resolve => (this.#onDecided = resolve))
    this.#records.flush()
    this.#rejections.flush()
    if (!fault) await this.#link.room()
    this.#options.closed(fault)
  }

  #handle(rawMessage: unknown, codec: Codec): void {
    let message: FrontendMessage
    try {
      message = isResponseLike(rawMessage) ? parseResponse(rawMessage) : parseCall(rawMessage)
      if (isCall(message) && message.method === METHOD.channel) message = toAnswer(message) ?? message
    } catch (error) {
      return this.#refuseMalformed(rawMessage, codec, isResponseLike(rawMessage), error as BusError)
    }
    if (isCall(message) && message.method.startsWith('$/')) return this.#handleProtocolNotification(message, codec)
    if (this.#queue.size >= MAX_IN_FLIGHT) return this.#decide(message, codec, OVERLOADED, undefined)
    const { hook, hookTimer, watch } = this.#options
    watch.enter()
    const startedAt = hookTimer.begin()
    const judgement = hook(toHookMessage(message), (verdict, isLate) => this.#encode(message, codec, verdict, isLate))
    if (!(judgement instanceof Promise)) {
      if (startedAt !== 0) hookTimer.end(startedAt)
      return this.#decide(message, codec, judgement, undefined)
    }
    if (startedAt !== 0) hookTimer.endWith(judgement, startedAt)
    // The id of an answer belongs to core, so the frontend cannot cancel it.
    const queued = this.#enqueue(isCall(message) ? message.id : undefined, undefined)
    const decide = (lateJudgement: Judgement): void => {
      watch.enter()
      this.#decide(message, codec, lateJudgement, queued)
    }
    judgement.then(decide).catch(() => this.#link.close())
  }

  /** Encodes the hook's answer immediately, before any of the hook's code can run again. */
  #encode(message: FrontendMessage, codec: Codec, verdict: Verdict, isLate: boolean): Judgement {
    if (verdict.kind === 'reject') return verdict
    try {
      const encoded = encodePassed(message, verdict.message, codec)
      return isLate ? detach(encoded) : encoded
    } catch {
      // The error can be the hook's own, so it is not read.
      return NOT_SERIALIZABLE
    }
  }

  #decide(message: FrontendMessage, codec: Codec, judgement: Judgement, queued: QueuedMessage | undefined): void {
    // The call was cancelled.
    if (queued?.outcome === null) return
    const outcome = 'why' in judgement ? this.#reject(message, codec, judgement) : judgement
    if (queued) {
      queued.outcome = outcome
      this.#release()
    } else if (outcome) this.#pass(outcome, isCall(message) ? message.id : undefined)
  }

  /** Refuses a malformed message. In place of a malformed response, core gets an error, because it waits for the response. */
  #refuseMalformed(message: unknown, codec: Codec, isResponse: boolean, error: BusError): void {
    const id = getRequestId(message)
    this.#refuse(isResponse ? null : id, error, codec)
    if (isResponse && id !== null) this.#pass(encodeErrorResponse({ id }, error, codec), undefined)
  }

  /** Seals a message, or queues it behind others. A queued message is copied, because the hook can change its attachments. */
  #pass(outcome: PassedEncoding, id: RequestId | undefined): void {
    if (this.#queue.size === 0) this.#seal(outcome)
    else this.#enqueue(id, detach(outcome))
  }

  #enqueue(id: RequestId | undefined, outcome: PassedEncoding | undefined): QueuedMessage {
    const message: QueuedMessage = { id, outcome }
    // Its caller has a limit for calls alone. Small values of many streams make the gate pause before there are too many.
    this.#queue.push(message, this.#messageBytes + (id === undefined ? CHANNEL_MESSAGE_COST : 0))
    this.#updatePause()
    return message
  }

  /** Seals the decided messages that wait behind no other. */
  #release(): void {
    for (let first = this.#queue.peek(); first?.outcome !== undefined; first = this.#queue.peek()) {
      this.#queue.shift()
      this.#updatePause()
      if (first.outcome) this.#seal(first.outcome)
    }
    if (this.#queue.size === 0) this.#onDecided?.()
  }

  /** Attachments are sealed before this returns. */
  #seal(outcome: PassedEncoding): void {
    if ('event' in outcome) return this.#events.add(outcome)
    const { codec, encoded, attachments } = outcome
    if (attachments.length === 0) return this.#records.put(codec, encoded)
    // Sealing up to 256 MiB takes time that must not be counted as the hook's.
    this.#options.watch.rest()
    this.#records.put(codec, encoded, attachments)
    this.#options.watch.enter()
  }

  /** Sends a batch to core as a record. */
  readonly #send = (batch: Frame, count: number): void => {
    const { sealer, sealTimer } = this.#options
    const startedAt = sealTimer.begin()
    const body = sealer.seal(batch.kind, batch.body, count)
    if (startedAt !== 0) sealTimer.end(startedAt)
    this.#link.send({ kind: FRAME_KIND.sealed, body })
    const room = this.#isLinkFull ? undefined : this.#link.room()
    if (!room) return
    this.#isLinkFull = true
    this.#updatePause()
    void room.then(() => {
      this.#isLinkFull = false
      this.#updatePause()
    })
  }

  /** The gate reads no more while core's link has no room, or while it holds too much. */
  #updatePause(): void {
    const mustPause = this.#isLinkFull || this.#queue.bytes >= MAX_GATE_QUEUE_BYTES
    if (mustPause === this.#isPaused) return
    this.#isPaused = mustPause
    if (mustPause) this.#link.pause()
    else this.#link.resume()
  }

  #handleProtocolNotification(call: CallMessage, codec: Codec): void {
    if (call.method === NODE_METHOD.rejected) {
      if (call.id === undefined) return
      return this.#refuse(call.id, createForgedError(call.method), codec)
    }
    // The end of a stream must not overtake its messages, nor the end of a channel the call that opens it.
    const isClose = call.method === METHOD.closeChannel && this.#queue.size < MAX_IN_FLIGHT
    if (isClose || call.method === METHOD.channel) return this.#pass(packMessage(codec, call), undefined)
    const cancelledId = (call.params as { id?: unknown } | undefined)?.id
    // A cancelled call in the queue never reaches core, and its caller has settled it already. Only numbers can be cancelled, as in core.
    if (call.method === METHOD.cancel && typeof cancelledId === 'number' && this.#cancel(cancelledId)) return
    this.#seal(packMessage(codec, call))
  }

  /** Drops a message. Returns false if no message of this id is queued. */
  #cancel(id: number): boolean {
    const message = this.#queue.find(queued => queued.id === id)
    if (!message) return false
    message.outcome = null
    this.#release()
    return true
  }

  /** Reports a rejection to the host and to core, which answers the frontend. Returns an error for core if core waits for a response. */
  #reject(message: FrontendMessage, codec: Codec, rejection: Rejection): PackedMessage | null {
    const { why, detail } = rejection
    this.#rejections.add([getName(message), detail === undefined ? why : `${why}: ${detail}`])
    const error = toRejectionError(message, rejection)
    if (!isCall(message)) return encodeErrorResponse(message, error, codec)
    if (message.id !== undefined) this.#refuse(message.id, error, codec)
    return null
  }

  /** Has core answer a request that is not passed on. */
  #refuse(id: RequestId | null, error: BusError, codec: Codec): void {
    const params: RejectedParams = { id, error: toErrorObject(error) }
    this.#seal(packMessage(codec, { jsonrpc: '2.0', method: NODE_METHOD.rejected, params }))
  }
}

/** Splits a single frame into two records, so that core opens one while the hook judges the messages of the other. */
const getFullRecord = (count: number, bytes: number): number =>
  bytes > LONG_FRAME_BYTES ? count : Math.max(MIN_FULL_RECORD, count >> 1)

const detach = (outcome: PassedEncoding): PassedEncoding => ('event' in outcome ? outcome : detachAttachments(outcome))

/** A message that waits for its verdict, or behind such a message. */
interface QueuedMessage {
  readonly id: RequestId | undefined
  /** The message to seal once all before it have left; `null` if nothing is sealed; `undefined` until the verdict. */
  outcome: PassedEncoding | null | undefined
}
