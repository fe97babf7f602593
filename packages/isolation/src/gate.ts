// The gate: decode → hook → encode → seal, a batch at a time. Whatever a frontend sends passes here in order; a message
// whose hook takes its time holds back those behind it, but not their hooks. The bus's own housekeeping carries nothing
// of the user's: it is not shown to the hook, and waits for none, but for the end of a channel.
import {
  BatchReader,
  BusError,
  FRAME_KIND,
  METHOD,
  carriesBytes,
  codecs,
  createOutbox,
  encodeMessage,
  describeCommand,
  idOf,
  isBusError,
  claimAttachments,
  packMessage,
  parseCall,
  toErrorObject,
  type CallMessage,
  type Codec,
  type Link,
  type Outbox,
  type PackedMessage,
  type ReceivedFrame,
  type RequestId,
  type Sealer,
} from '@sallyport/protocol'
import type { Hook } from './hook.js'
import type { PassedMessage, Verdict } from './hook-message.js'

export interface GateOptions {
  /** To the frontend: its messages come in, records and rejections go out. */
  link: Link
  sealer: Sealer
  hook: Hook
  rejected(command: string, why: string): void
  /** With a fault where the frontend has sent what no honest one would. */
  closed(fault?: BusError): void
}

/** A message whose hook has not answered yet, or that waits behind one. */
interface Waiting {
  readonly id: RequestId | undefined
  /** Set once it may go, in its turn; `null` where it never will. */
  outcome: Passed | null | undefined
}

/** A message that goes on. Its attachments may be the hook's own memory. */
interface Passed extends PackedMessage {
  readonly codec: Codec
}

/** Serves the gate until its link closes. A frame that is none closes it. */
export function serveGate(options: GateOptions): void {
  new Gate(options)
}

class Gate {
  readonly #options: GateOptions
  readonly #sealed: Outbox
  readonly #answers: Outbox
  readonly #reader = new BatchReader()
  readonly #waiting: Waiting[] = []
  /** Messages that make a record full. Those of short frames that come together share one. */
  #full = RECORD_MESSAGES

  constructor(options: GateOptions) {
    const { link, sealer } = options
    this.#options = options
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
    link.receive({ frame: frame => this.#receive(frame), closed: options.closed })
  }

  #receive({ kind, body }: ReceivedFrame): void {
    if (kind === FRAME_KIND.end) return this.#end()
    try {
      const codec = kind === FRAME_KIND.msgpack ? codecs.msgpack : codecs.json
      const messages = this.#reader.read(kind, body)
      this.#full = recordMessages(messages.length, body.byteLength)
      for (const message of messages) this.#take(message, codec)
    } catch (error) {
      const fault = isBusError(error) ? error : new BusError('InternalError', 'The frame could not be read')
      this.#answer(null, fault)
      this.#flush()
      this.#options.closed(fault)
      this.#options.link.close()
    }
  }

  /** The frontend sends nothing more: what has passed goes out, and what waits in a hook has nobody to wait for it. */
  #end(): void {
    this.#flush()
    this.#options.link.send({ kind: FRAME_KIND.end, body: '' })
  }

  #flush(): void {
    this.#sealed.flush()
    this.#answers.flush()
  }

  #take(message: unknown, codec: Codec): void {
    let call: CallMessage
    try {
      call = parseCall(message)
    } catch (error) {
      return this.#answer(idOf(message), error as BusError)
    }
    if (call.method.startsWith('$/')) return this.#housekeeping(call, codec)
    const verdict = this.#judge(call)
    if (!(verdict instanceof Promise)) return this.#decide(call, codec, verdict, undefined)
    const waiting: Waiting = { id: call.id, outcome: undefined }
    this.#waiting.push(waiting)
    verdict.then(late => this.#decide(call, codec, late, waiting)).catch(() => this.#options.link.close())
  }

  /** The hook sees Tauri's message. Its ids are shown, and never read back. */
  #judge({ id, method, params, headers }: CallMessage): Verdict | Promise<Verdict> {
    const callback = typeof id === 'number' ? id : 0
    const options = headers === undefined ? undefined : { headers }
    return this.#options.hook({ cmd: method, callback, error: callback, payload: params ?? {}, options })
  }

  /** What the hook gave is written out here and now, before any of its code can run again. */
  #decide(call: CallMessage, codec: Codec, verdict: Verdict, waiting: Waiting | undefined): void {
    let outcome: Passed | null = null
    if (waiting?.outcome === null) return // cancelled
    if (verdict.kind === 'reject') this.#reject(call, verdict.why, verdict.detail)
    else {
      try {
        outcome = write(call, verdict.message, codec)
      } catch {
        // What was thrown is the hook's, and is not looked at.
        this.#reject(call, 'malformed', 'the answer can’t be carried')
      }
    }
    const goesNow = this.#waiting.length === 0 || this.#waiting[0] === waiting
    // What is sealed now needs no copy; what waits must not be the hook's to change.
    if (outcome && !goesNow) outcome = { codec: outcome.codec, ...claimAttachments(outcome) }
    if (waiting) {
      waiting.outcome = outcome
      this.#release()
    } else if (outcome && goesNow) this.#seal(outcome)
    else if (outcome) this.#waiting.push({ id: call.id, outcome })
  }

  /** Attachments are sealed before this returns. */
  #seal({ codec, encoded, attachments }: Passed): void {
    this.#sealed.put(codec, encoded, attachments)
  }

  #release(): void {
    while (this.#waiting[0]?.outcome !== undefined) {
      const { outcome } = this.#waiting.shift()!
      if (outcome) this.#seal(outcome)
    }
  }

  #housekeeping(call: CallMessage, codec: Codec): void {
    const cancelled = (call.params as { id?: unknown } | undefined)?.id
    const waiting =
      call.method === METHOD.cancel && cancelled !== undefined && this.#waiting.find(({ id }) => id === cancelled)
    if (call.method === METHOD.closeChannel && this.#waiting.length > 0) {
      // The call that opens the channel may be among what waits.
      const encoded = encodeMessage(codec, call)
      return void this.#waiting.push({ id: undefined, outcome: { codec, encoded, attachments: NONE } })
    }
    if (!waiting) return this.#sealed.post(codec, call)
    // It never went to core, and now never will: its caller has settled it already.
    waiting.outcome = null
    this.#release()
  }

  #reject({ id, method }: CallMessage, why: string, detail: string | undefined): void {
    this.#options.rejected(method.slice(0, MAX_NAME), detail === undefined ? why : `${why}: ${detail}`)
    if (id === undefined) return
    const text = `${describeCommand(method)} was rejected by the isolation hook (${WHY[why]})`
    this.#answer(id, new BusError('Rejected', text, { data: { why } }))
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

/** Of a command's name, in reports: whoever sent it chose it. */
const MAX_NAME = 200

const WHY: Record<string, string> = {
  null: 'it returned null or undefined',
  threw: 'it threw',
  timeout: 'it took too long',
  malformed: 'what it returned is no message',
}

const NONE: readonly never[] = []

function write({ id }: CallMessage, { cmd, payload, options }: PassedMessage, codec: Codec): Passed {
  const message = { jsonrpc: '2.0', method: cmd, params: payload } as CallMessage
  if (id !== undefined) message.id = id
  if (options?.headers !== undefined) message.headers = options.headers
  if (codec.name === 'msgpack' || carriesBytes(message)) return { codec: codecs.msgpack, ...packMessage(message) }
  return { codec, encoded: encodeMessage(codec, message, true), attachments: NONE }
}
