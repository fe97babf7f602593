// The gate: decode → hook → encode → seal, a batch at a time. Whatever a frontend sends passes here in order (gate-order.ts). The
// bus's own housekeeping carries nothing of the user's: it is not shown to the hook, and waits for none, but for the end of a
// channel.
import {
  BatchReader,
  BusError,
  type CallMessage,
  detachAttachments,
  type Codec,
  codecs,
  createOutbox,
  FRAME_KIND,
  getRequestId,
  isBusError,
  isMeantAsAnswer,
  type Link,
  METHOD,
  type Outbox,
  type PackedMessage,
  packPlain,
  parseAnswer,
  parseCall,
  type ReceivedFrame,
  Throttle,
  type RequestId,
  type Sealer,
  toErrorObject,
} from '@sallyport/protocol'
import type { Hook } from '../hook/hook.js'
import type { Verdict } from '../hook/types.js'
import { CANNOT_BE_CARRIED, OVERLOADED, type Rejection } from '../hook/verdict.js'
import type { HookWatch } from '../hook/watchdog.js'
import { type Given, isCall, getName, rejection, show, write, writeError } from './messages.js'
import { GateLink, VerdictQueue, type Waiting } from './verdict-queue.js'

export interface GateOptions {
  /** To the frontend: its messages come in, records and rejections go out. */
  link: Link
  sealer: Sealer
  hook: Hook
  watch: HookWatch
  /** `more` others were rejected, and are not told one by one. */
  rejected(command: string, why: string, more: number): void
  /** With a fault where the frontend has sent what no honest one would. */
  closed(fault?: BusError): void
}

type Judged = PackedMessage | Rejection

/** Serves the gate until its link closes. A frame that is none closes it. */
export function serveGate(options: GateOptions): void {
  new Gate(options)
}

class Gate {
  readonly #options: GateOptions
  readonly #link: GateLink
  readonly #sealed: Outbox
  readonly #answers: Outbox
  readonly #reader = new BatchReader()
  readonly #rejections: Throttle<readonly [command: string, why: string]>
  readonly #order: VerdictQueue
  /** Messages that make a record full. Those of short frames that come together share one. */
  #full = RECORD_MESSAGES
  /** Attachments that have come for the next message. */
  #bytes = 0
  /** Bytes of a message of the present frame. */
  #each = 0

  constructor(options: GateOptions) {
    const { sealer } = options
    const link = new GateLink(options.link)
    this.#options = options
    this.#link = link
    this.#rejections = new Throttle(([command, why], more) => options.rejected(command, why, more))
    this.#sealed = createOutbox(
      (kind, body, count) =>
        link.send({
          kind: FRAME_KIND.sealed,
          body: sealer.seal(kind, body, count),
          more: kind === FRAME_KIND.bytes,
        }),
      () => this.#full,
    )
    this.#answers = createOutbox((kind, body) => link.send({ kind, body }))
    this.#order = new VerdictQueue(link, outcome => this.#seal(outcome))
    link.receive({ frame: frame => this.#receive(frame), closed: fault => this.#closed(fault) })
  }

  #receive({ kind, body }: ReceivedFrame): void {
    if (kind === FRAME_KIND.end) return this.#end()
    try {
      const codec = kind === FRAME_KIND.msgpack ? codecs.msgpack : codecs.json
      const messages = this.#reader.read(kind, body)
      this.#full = recordMessages(messages.length, body.byteLength)
      this.#bytes += body.byteLength
      if (messages.length === 0) return
      this.#each = this.#bytes / messages.length
      this.#bytes = 0
      for (const message of messages) this.#take(message, codec)
    } catch (error) {
      const fault = isBusError(error) ? error : new BusError('InternalError', 'The frame could not be read')
      this.#answer(null, fault)
      this.#flush()
      this.#closed(fault)
      this.#link.close()
    }
  }

  /** The frontend sends nothing more: what has passed goes out, and what waits in a hook has nobody to wait for it. */
  #end(): void {
    this.#flush()
    this.#link.send({ kind: FRAME_KIND.end, body: '' })
  }

  #closed(fault: BusError | undefined): void {
    this.#rejections.flush()
    this.#options.closed(fault)
  }

  #flush(): void {
    this.#sealed.flush()
    this.#answers.flush()
  }

  #take(message: unknown, codec: Codec): void {
    const isAnswer = isMeantAsAnswer(message)
    let given: Given
    try {
      given = isAnswer ? parseAnswer(message) : parseCall(message)
    } catch (error) {
      return this.#refuse(message, codec, isAnswer, error as BusError)
    }
    if (isCall(given) && given.method.startsWith('$/')) return this.#housekeeping(given, codec)
    if (this.#order.isFull) return this.#decide(given, codec, OVERLOADED, undefined)
    this.#options.watch.enter()
    const judged = this.#options.hook(show(given), (verdict, late) => this.#write(given, codec, verdict, late))
    if (!(judged instanceof Promise)) return this.#decide(given, codec, judged, undefined)
    // The id of an answer is core's, and nothing that the frontend could cancel.
    const waiting = this.#order.wait(isAnswer ? undefined : given.id, this.#each)
    const decide = (late: Judged): void => {
      this.#options.watch.enter()
      this.#decide(given, codec, late, waiting)
    }
    judged.then(decide).catch(() => this.#link.close())
  }

  /** What the hook gave is written out here and now, before any of its code can run again. */
  #write(given: Given, codec: Codec, verdict: Verdict, late: boolean): Judged {
    if (verdict.kind === 'reject') return verdict
    try {
      const written = write(given, verdict.message, codec)
      return late ? detachAttachments(written) : written
    } catch {
      // What was thrown is the hook's, and is not looked at.
      return CANNOT_BE_CARRIED
    }
  }

  #decide(given: Given, codec: Codec, judged: Judged, waiting: Waiting | undefined): void {
    if (waiting?.outcome === null) return // cancelled
    const outcome = 'why' in judged ? this.#reject(given, codec, judged) : judged
    if (waiting) this.#order.decide(waiting, outcome)
    else if (outcome) this.#pass(outcome, isCall(given) ? given.id : undefined)
  }

  #pass(outcome: PackedMessage, id: RequestId | undefined): void {
    this.#order.pass(outcome, id, this.#each)
  }

  /** What is no message. Core waits for an answer all the same: it hears that there is none. */
  #refuse(message: unknown, codec: Codec, isAnswer: boolean, error: BusError): void {
    const id = getRequestId(message)
    this.#answer(isAnswer ? null : id, error)
    if (isAnswer && id !== null) this.#pass(writeError({ id }, error, codec), undefined)
  }

  /** Attachments are sealed before this returns. */
  #seal({ codec, encoded, attachments }: PackedMessage): void {
    if (attachments.length === 0) return this.#sealed.put(codec, encoded)
    // Up to 256 MiB, which is no fault of the hook's.
    this.#options.watch.rest()
    this.#sealed.put(codec, encoded, attachments)
    this.#options.watch.enter()
  }

  #housekeeping(call: CallMessage, codec: Codec): void {
    if (call.method === METHOD.closeChannel && !this.#order.isFull) {
      // The call that opens the channel may be among what waits.
      return this.#pass(packPlain(codec, call), undefined)
    }
    const cancelled = (call.params as { id?: unknown } | undefined)?.id
    // As in core, a number alone: there is no cancelling of a call whose id is a text. One that waits here never went to core, and
    // now never will: its caller has settled it already.
    if (call.method === METHOD.cancel && typeof cancelled === 'number' && this.#order.cancel(cancelled)) return
    this.#sealed.post(codec, call)
  }

  /** Gives what goes to core in its place: whoever waits there for an answer must hear of it. */
  #reject(given: Given, codec: Codec, rejected: Rejection): PackedMessage | null {
    const { why, detail } = rejected
    this.#rejections.add([getName(given), detail === undefined ? why : `${why}: ${detail}`])
    const error = rejection(given, rejected)
    if (!isCall(given)) return writeError(given, error, codec)
    if (given.id !== undefined) this.#answer(given.id, error)
    return null
  }

  #answer(id: RequestId | null, error: BusError): void {
    this.#answers.post(codecs.json, { jsonrpc: '2.0', id, error: toErrorObject(error) })
  }
}

/** A frame of so many bytes is one of several: an outbox begins the next soon after. */
const LONG_FRAME = 12 * 1024
/** With fewer messages in a record, threads wake up more often than working at the same time gains. */
const RECORD_MESSAGES = 32

/** A frame that comes alone makes two records: core opens one while the hook sees to the other. */
const recordMessages = (count: number, bytes: number): number =>
  bytes > LONG_FRAME ? count : Math.max(RECORD_MESSAGES, count >> 1)
