// The codecs by name, and the reader that decodes the frames of a link with them.
import { msgpackCodec } from '#msgpack'
import { IS_NODE, isUint8Array, utf8Length } from '#platform'
import { BusError, isBusError } from '../errors/bus-error.js'
import { FRAME_KIND, METHOD, NODE_METHOD } from '../wire/messages.js'
import {
  MAX_ATTACHED_BYTES,
  MAX_BATCH,
  MAX_BATCHED_EVENT_LENGTH,
  MAX_FRAME_BYTES,
  MIN_ATTACHMENT_BYTES,
} from '../wire/limits.js'
import { ownsWholeBuffer } from '../wire/link.js'
import { type Codec, type CodecName, getSize, LENGTH_BYTES, WithBytes } from './codec.js'
import { getEndOfText, jsonCodec, placeBytes } from './json.js'

export const codecs: Record<CodecName, Codec> = { json: jsonCodec, msgpack: msgpackCodec }

const NO_MESSAGES: readonly never[] = []

/** Decodes the frames of one link into messages. Attachments wait here, up to a limit, for the frame that they belong to. */
export class BatchReader {
  readonly #trusted: boolean
  #attachments: Uint8Array[] = []
  #bytes = 0

  /** @param trusted true for frames from core; see `Codec.decode` */
  constructor(trusted = false) {
    this.#trusted = trusted
  }

  /**
   * Returns the messages in a frame's body, not yet checked to be JSON-RPC. An attachment holds none.
   *
   * @throws {BusError} ParseError if the body is malformed; InvalidRequest if the frame's kind holds no messages, or if a batch
   * or an attachment exceeds its limits
   */
  read(kind: number, body: string | Uint8Array): readonly unknown[] {
    let decoded: unknown
    if (kind === FRAME_KIND.json) decoded = jsonCodec.decode(body, this.#trusted)
    else if (typeof body !== 'string' && kind === FRAME_KIND.bytes) return this.#keepAttachment(body)
    else if (typeof body !== 'string' && kind === FRAME_KIND.jsonBytes)
      decoded = decodeJsonBytes(body, this.#trusted, this.#takeAttachments())
    else if (IS_NODE && typeof body !== 'string' && kind === FRAME_KIND.msgpack)
      return toMessages(msgpackCodec.decode(body, this.#trusted, this.#takeAttachments()))
    else throw new BusError('InvalidRequest', `A frame of kind ${kind} is not accepted here`)
    const messages = toMessages(decoded)
    return IS_NODE && !this.#trusted && messages.some(isEmitAll) ? expandEvents(messages) : messages
  }

  #takeAttachments(): readonly Uint8Array[] {
    const attachments = this.#attachments
    if (attachments.length > 0) this.#attachments = []
    if (IS_NODE) this.#bytes = 0
    return attachments
  }

  #keepAttachment(body: Uint8Array): readonly never[] {
    if (IS_NODE) this.#bytes += body.byteLength
    // The minimum size of an attachment bounds their number as well.
    if (IS_NODE && (body.byteLength < MIN_ATTACHMENT_BYTES || this.#bytes > MAX_ATTACHED_BYTES)) {
      throw new BusError('InvalidRequest', 'Invalid Request: attachment out of bounds')
    }
    // The user who receives these bytes can transfer their buffer, so it must hold nothing else.
    this.#attachments.push(new Uint8Array(ownsWholeBuffer(body, 0) ? body.buffer : body))
    return NO_MESSAGES
  }
}

function decodeJsonBytes(body: Uint8Array, trusted: boolean, attachments: readonly Uint8Array[]): unknown {
  try {
    if (IS_NODE && body.length > MAX_FRAME_BYTES)
      throw new RangeError(`a frame of ${body.length} bytes is over the limit`)
    const end = getEndOfText(body)
    const decoded = jsonCodec.decode(body.subarray(LENGTH_BYTES, end), trusted)
    placeBytes(decoded, body, end, attachments)
    return decoded
  } catch (error) {
    throw isBusError(error) ? error : new BusError('ParseError', `Parse error: ${(error as Error).message}`)
  }
}

function toMessages(decoded: unknown): readonly unknown[] {
  if (!Array.isArray(decoded)) return [decoded]
  if (IS_NODE && (decoded.length === 0 || decoded.length > MAX_BATCH)) {
    const text = `Invalid Request: a batch has 1 to ${MAX_BATCH} messages, not ${decoded.length}`
    throw new BusError('InvalidRequest', text)
  }
  return decoded
}

interface EmitAll {
  jsonrpc: unknown
  params: { event: string; payloads: readonly unknown[] }
}

/** True for a notification of several events. A malformed one is refused like any method of the bus that does not exist. */
function isEmitAll(message: unknown): message is EmitAll {
  const { id, method, params } = (message ?? {}) as {
    id?: unknown
    method?: unknown
    params?: Partial<EmitAll['params']>
  }
  if (method !== NODE_METHOD.emitAll || id !== undefined || !Array.isArray(params?.payloads)) return false
  return typeof params.event === 'string' && params.event.length <= MAX_BATCHED_EVENT_LENGTH
}

/** Replaces notifications of several events, so that permissions, hooks and quotas see each event. @throws {BusError} InvalidRequest */
function expandEvents(messages: readonly unknown[]): readonly unknown[] {
  const expanded: unknown[] = []
  for (const message of messages) {
    if (!isEmitAll(message)) expanded.push(message)
    else {
      const { jsonrpc, params } = message
      const { event, payloads } = params
      if (expanded.length + payloads.length > MAX_BATCH)
        throw new BusError('InvalidRequest', `Invalid Request: a batch has at most ${MAX_BATCH} messages and events`)
      for (const payload of payloads) expanded.push({ jsonrpc, method: METHOD.emit, params: { event, payload } })
    }
  }
  return expanded
}

/**
 * Checks the result of `bus.run`, in the script host and again in the host, which does not trust it.
 *
 * @throws {BusError} Overloaded for a result of more than `max` bytes, as its codec writes it
 */
export function checkResultBytes(value: unknown, max: number, codec: CodecName): void {
  const bytes = measureValue(value, codec)
  if (bytes <= max) return
  const text = `The result of bus.run has ${bytes} bytes, more than ${max}`
  throw new BusError('Overloaded', text, { code: 'RESULT_TOO_LARGE', data: { limit: 'resultBytes', max } })
}

/** Returns the bytes of a value as a codec writes it. @throws {BusError} InvalidParams for a value that cannot be serialized */
export function measureValue(value: unknown, codec: CodecName): number {
  if (isUint8Array(value)) return value.byteLength
  const encoded = codecs[codec].encodeValue(value) ?? 'null'
  const text = encoded instanceof WithBytes ? encoded.encoded : encoded
  return getSize(encoded) + (typeof text === 'string' ? utf8Length(text) - text.length : 0)
}
