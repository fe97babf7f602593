// Encodes messages and batches those of one tick into frames:
//
// 1. `encodeMessage` makes the text or bytes of one message.
// 2. `ValueBatch` and `EventBatch` join consecutive ones that differ in one value: an envelope for each would cost more than everything else.
// 3. `Outbox` joins messages of one kind into a frame, in the order in which they were put; a change of kind begins a new frame.
// 4. A frame leaves when it is full, or at the end of the tick. Core schedules late answers in its own way (`AnswerScheduler`).
import { allocate, IS_NODE, isArrayBuffer, isPooled, onEndOfTick, utf8Length } from '#platform'
import { type Codec, type EncodedMessage, type Framing, type PackedMessage, TextWithBytes } from '../codec/codec.js'
import { codecs } from '../codec/codecs.js'
import { checkJsonMessage, encodeJsonValue } from '../codec/json.js'
import { BusError, describeThrown } from '../errors/bus-error.js'
import { isBytes } from '../util/type-guards.js'
import { type CallMessage, FRAME_KIND, holdsBytes, type Message, METHOD, NODE_METHOD } from '../wire/messages.js'
import { MAX_ATTACHED_BYTES, MAX_BATCHED_EVENT_LENGTH, MAX_FRAME_BYTES } from '../wire/limits.js'
import { type Frame, ownsWholeBuffer } from '../wire/link.js'

/**
 * Bytes after which a batch is sent before its tick has ended, so that the peer reads it while the next is written. A much lower
 * value costs more frames than it gains. With a higher one, one side waits for the other, and core scans JSON before it parses.
 */
export const FULL_BATCH_BYTES: number = 16 * 1024
/** Values of one channel or event after which their message is sent before its tick has ended. */
export const FULL_BATCH_VALUES = 64
/** A frame of this size is one of several: its sender begins the next one soon after. */
export const LONG_FRAME_BYTES: number = (FULL_BATCH_BYTES * 3) / 4
/** Messages that a gate's record holds at least, if they arrive together. With fewer, threads wake up more often than parallel work gains. */
export const MIN_FULL_RECORD = 32

/** Decides when a batch leaves that is not full: calls `flush` once, later. */
export type ScheduleFlush = (flush: () => void) => void

const NO_ATTACHMENTS: readonly Uint8Array[] = []

/** Sends a frame of `count` messages. An attachment counts as none, each value of an open message as one. */
export type SendFrame = (frame: Frame, count: number) => void

/** A message that can still grow. Any other message closes it, which keeps the order. */
export interface OpenMessage {
  /** Number of the values in it. */
  readonly size: number
  close(): EncodedMessage
}

export class Outbox {
  /** Messages and bytes after which a frame is sent before its tick has ended. */
  maxMessages: number = Infinity
  maxBytes: number = FULL_BATCH_BYTES
  /** True while the owner collects messages, and will call `flush`. */
  isCorked = false
  readonly #send: SendFrame
  readonly #scheduleFlush: ScheduleFlush
  #batch: EncodedMessage[] = []
  #bytes = 0
  #count = 0
  #codec: Framing | undefined
  #open: OpenMessage | undefined
  #isScheduled = false

  constructor(send: SendFrame, schedule: ScheduleFlush = onEndOfTick) {
    this.#send = send
    this.#scheduleFlush = schedule
  }

  /**
   * Sends an encoded message with the others of this tick. A message with attachments goes out immediately, after them: their
   * bytes are sent, or sealed, when this returns.
   *
   * @param attachments their memory is transferred, unless it is `borrowed`
   * @param count number of messages that it counts as
   */
  put(
    codec: Framing,
    encoded: EncodedMessage,
    attachments: readonly Uint8Array[] = NO_ATTACHMENTS,
    borrowed?: boolean,
    count = 1,
  ): void {
    if (IS_NODE && this.#open) this.#close()
    if (attachments.length > 0) {
      this.flush()
      const kind = FRAME_KIND.bytes
      for (const body of attachments) this.#send(borrowed ? { kind, body, borrowed } : { kind, body }, 0)
      return this.#send({ kind: codec.kind, body: codec.join([encoded]) }, 1)
    }
    if (codec !== this.#codec || this.#bytes + encoded.length > this.maxBytes) this.flush()
    this.#codec = codec
    if (!this.#isScheduled && !this.isCorked) this.#schedule()
    this.#bytes += encoded.length
    this.#count += count
    if (this.#batch.push(encoded) >= this.maxMessages) this.flush()
  }

  /** Sends a message as it is when the next one is put, or when the batch leaves. Not in pages. */
  putOpen(codec: Framing, message: OpenMessage): void {
    if (!IS_NODE) return
    if (this.#open) this.#close()
    if (codec !== this.#codec) this.flush()
    this.#codec = codec
    this.#open = message
    if (!this.#isScheduled && !this.isCorked) this.#schedule()
  }

  flush(): void {
    if (IS_NODE && this.#open) this.#close()
    const codec = this.#codec
    const batch = this.#batch
    const count = this.#count
    if (!codec || batch.length === 0) return
    this.#batch = []
    this.#bytes = 0
    this.#count = 0
    const first = batch[0]
    this.#send(
      { kind: codec.kind, body: typeof first === 'string' && batch.length === 1 ? first : codec.join(batch) },
      count,
    )
  }

  #close(): void {
    const open = this.#open!
    this.#open = undefined
    const { size } = open
    this.put(this.#codec!, open.close(), NO_ATTACHMENTS, false, size)
  }

  #schedule(): void {
    this.#isScheduled = true
    this.#scheduleFlush(this.#flushScheduled)
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false
    this.flush()
  }
}

/**
 * @param checked true for messages to core or a gate, which would close the session for what is refused here
 * @throws what the codec throws, and {BusError} InvalidParams if the message is too large for a frame
 */
export function encodeMessage(codec: Codec, message: Message, checked = false): EncodedMessage | PackedMessage {
  const encoded = codec.encode(message, checked)
  return typeof encoded === 'string' && encoded.length * 3 <= MAX_FRAME_BYTES ? encoded : checkPacked(encoded)
}

/** Encodes a message, as an object in any case. Parameters and errors are those of `encodeMessage`. */
export const packMessage = (codec: Codec, message: Message, checked = false): PackedMessage =>
  toPacked(codec, encodeMessage(codec, message, checked))

export const isPacked = (encoded: EncodedMessage | PackedMessage): encoded is PackedMessage =>
  typeof encoded !== 'string' && 'attachments' in encoded

export const toPacked = (codec: Codec, encoded: EncodedMessage | PackedMessage): PackedMessage =>
  isPacked(encoded) ? encoded : { codec, encoded, attachments: NO_ATTACHMENTS }

/** @throws {BusError} InvalidParams if the message is too large for a frame, or its attachments are */
export function checkPacked<T extends EncodedMessage | PackedMessage>(encoded: T): T {
  if (!isPacked(encoded)) return checkSize(encoded) as T
  checkSize(encoded.encoded)
  const size = countBytes(encoded.attachments)
  if (size > MAX_ATTACHED_BYTES)
    throw new BusError('InvalidParams', `${size} bytes are over the limit of ${MAX_ATTACHED_BYTES}`)
  return encoded
}

export const countBytes = (attachments: readonly Uint8Array[]): number =>
  attachments.reduce((sum, { byteLength }) => sum + byteLength, 0)

/**
 * @param attached - bytes of the attachments
 * @throws {BusError} InvalidParams if the message is too large for a frame, or for the given limit
 */
export function checkSize(encoded: EncodedMessage, limit: number = MAX_FRAME_BYTES, attached = 0): EncodedMessage {
  // A UTF-16 code unit has at most three bytes in UTF-8.
  if (attached + encoded.length * 3 > limit) {
    const text = typeof encoded === 'string' ? encoded : encoded instanceof TextWithBytes ? encoded.text : ''
    const size = attached + encoded.length - text.length + utf8Length(text)
    if (size > limit) throw new BusError('InvalidParams', `A message of ${size} bytes is over the limit of ${limit}`)
  }
  return encoded
}

/** A sender of messages that differ in one value only, so that consecutive ones fit into one message. */
export interface BatchSource {
  /**
   * Creates the message of one value, or of several with `null` in their place: the last member of its params. `index` is the number of the
   * first.
   */
  createMessage(value: unknown, index: number, isBatch?: boolean): CallMessage
}

/** The values of an outbox. Those that one source adds one after the other share a message. */
export class ValueBatch implements OpenMessage {
  /** UTF-16 code units that the values of a message have together, unless it has one. */
  maxLength: number = Infinity
  readonly #outbox: Outbox
  readonly #codec: Codec
  #source: BatchSource | undefined
  #values: EncodedMessage[] = []
  #bytes = 0
  #index = 0

  constructor(outbox: Outbox, codec: Codec) {
    this.#outbox = outbox
    this.#codec = codec
  }

  get size(): number {
    return this.#values.length
  }

  /** @param index - the number of the value */
  add(source: BatchSource, index: number, value: EncodedMessage): void {
    if (source !== this.#source || this.#bytes + value.length > this.maxLength) {
      this.#outbox.putOpen(this.#codec, this)
      this.#source = source
      this.#index = index
    }
    this.#bytes += value.length
    const isFull = this.#values.push(value) >= FULL_BATCH_VALUES || this.#bytes >= FULL_BATCH_BYTES
    if (isFull) this.#outbox.flush()
  }

  close(): EncodedMessage {
    const source = this.#source!
    const values = this.#values
    this.#source = undefined
    this.#values = []
    this.#bytes = 0
    const message = source.createMessage(null, this.#index, values.length > 1)
    return this.#codec.encodeAround(message, this.#codec.join(values)) as EncodedMessage
  }
}

export interface EncodedEvent {
  readonly event: string
  /** JSON. */
  readonly payload: string
}

/**
 * Maximum UTF-16 code units of the payloads of one message. Depth is limited in messages of more than `SCAN_ABOVE_BYTES`: a payload that can be sent
 * alone must not end the session because others are next to it. A code unit has at most three bytes, and the rest is for the name.
 */
const MAX_BATCH_LENGTH = 20 * 1024

class EventSource implements BatchSource {
  constructor(readonly event: string) {}

  createMessage(payload: unknown, _index?: number, isBatch?: boolean): CallMessage {
    const { event } = this
    if (isBatch) return { jsonrpc: '2.0', method: NODE_METHOD.emitAll, params: { event, payloads: payload } }
    return { jsonrpc: '2.0', method: METHOD.emit, params: { event, payload } }
  }
}

/** The events of one sender. The reader replaces a batch by messages of their own, so that permissions, hooks and quotas see each event. */
export class EventBatch {
  readonly #values: ValueBatch
  #source: EventSource | undefined

  constructor(outbox: Outbox) {
    this.#values = new ValueBatch(outbox, codecs.json)
    this.#values.maxLength = MAX_BATCH_LENGTH
  }

  /**
   * Encodes the payload of an event. A large event becomes a message, which must be sent alone. Returns `undefined` if the event must be
   * encoded as any other message: its name is long, or its payload has bytes or no text.
   *
   * @throws errors of `encodeMessage` for a payload that core and the gate would refuse
   */
  static encode(event: string, payload: unknown): EncodedEvent | string | undefined {
    if (event.length > MAX_BATCHED_EVENT_LENGTH) return undefined
    const text = encodeJsonValue(payload)
    if (text === undefined) return undefined
    if (text.length < FULL_BATCH_BYTES) return { event, payload: text }
    const message = codecs.json.encodeAround(new EventSource(event).createMessage(null), text) as string
    return checkJsonMessage(checkSize(message) as string)
  }

  add({ event, payload }: EncodedEvent): void {
    if (this.#source?.event !== event) this.#source = new EventSource(event)
    this.#values.add(this.#source, 0, payload)
  }
}

// The caller's bytes: copied once, or moved if the caller transfers them, as with `postMessage`.

/**
 * Detaches the attachments for `Outbox.put`. Each gets a buffer without other references: a copy, or the moved buffer if it is in
 * `transfer`. The caller loses all of `transfer`, or none of it if this throws.
 *
 * @throws {BusError} InvalidParams if a buffer cannot be transferred
 */
export function detachAttachments(
  { codec, encoded, attachments }: PackedMessage,
  transfer: readonly ArrayBufferLike[] = [],
): PackedMessage {
  // A WebSocket copies all bytes: nothing is moved.
  if (!IS_NODE) return { codec, encoded, attachments: attachments.map(bytes => bytes.slice()) }
  const transferred = [...new Set(transfer.filter(buffer => !isPooled(buffer)))]
  const unclaimed = new Set(transferred)
  const claimed = attachments.map(bytes => {
    // Two values can be views of one buffer: the first that fills it gets it.
    if (ownsWholeBuffer(bytes, 0) && unclaimed.delete(bytes.buffer)) return bytes
    const copy = allocate(bytes.byteLength)
    copy.set(bytes)
    return copy
  })
  if (transferred.length === 0) return { codec, encoded, attachments: claimed }
  const moved = moveAll(transferred)
  const movedBuffers = new Map(transferred.map((buffer, at) => [buffer, moved[at]!]))
  const detached = claimed.map(bytes => {
    const buffer = movedBuffers.get(bytes.buffer)
    return buffer ? new Uint8Array(buffer) : bytes
  })
  return { codec, encoded, attachments: detached }
}

/** Returns the buffers of the bytes that a value is, or has as its own members. */
export function getBuffers(value: unknown): Set<ArrayBufferLike> {
  const members: unknown[] = isBytes(value) ? [value] : holdsBytes(value) ? Object.values(value as object) : []
  return new Set(members.filter(isBytes).map(bytes => (isArrayBuffer(bytes) ? bytes : bytes.buffer)))
}

/** Checks a `transfer` option against the value that it belongs to, if there is one. @throws {BusError} InvalidParams */
export function checkTransfer(options: { transfer?: unknown }, value: unknown): void {
  if (!IS_NODE || options.transfer === undefined) return
  const { transfer } = options
  if (!Array.isArray(transfer)) throw new BusError('InvalidParams', '`transfer` must be an array of ArrayBuffers')
  const buffers = getBuffers(value)
  for (const buffer of transfer as unknown[]) {
    if (!isArrayBuffer(buffer)) {
      throw new BusError('InvalidParams', '`transfer` takes ArrayBuffers: for a Uint8Array, pass its `buffer`')
    }
    if (!buffers.has(buffer)) {
      const problem =
        'A buffer in `transfer` is neither the whole payload nor the value of one of its top-level members'
      throw new BusError('InvalidParams', problem)
    }
  }
}

/** Moves all buffers or none, as a structured clone does. `ArrayBuffer.prototype.transfer` is too new for Node 20. */
function moveAll(buffers: ArrayBufferLike[]): ArrayBufferLike[] {
  try {
    // Refuses a detached buffer, which Node 20 would send as an empty one.
    for (const buffer of buffers) new Uint8Array(buffer)
    return structuredClone(buffers, { transfer: buffers as ArrayBuffer[] })
  } catch (cause) {
    const problem = `A buffer in \`transfer\` cannot be transferred: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', problem, { cause })
  }
}
