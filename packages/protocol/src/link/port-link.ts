// A link over MessagePorts: one for what this thread sends, one for what it receives; often the same. A frame is one message, and frames that
// belong together share one. JSON travels as a string, which costs less than its bytes. A port deserializes whatever the peer posts, so
// only strings, ArrayBuffers, arrays of those and credit are accepted; everything else is a fault.
import type { MessagePort } from 'node:worker_threads'
import { BusError } from '../errors/bus-error.js'
import { RoomSignal } from '../util/room-signal.js'
import { isArrayBuffer } from '../util/type-guards.js'
import {
  BUFFER_COST,
  CREDIT_STEP_BYTES,
  CREDIT_WINDOW_BYTES,
  MAX_ATTACHED_BYTES,
  MIN_ATTACHMENT_BYTES,
} from '../wire/limits.js'
import {
  deliverFrame,
  type Frame,
  FRAME_KIND,
  LINGER_MS,
  type Link,
  type LinkReceiver,
  ownsWholeBuffer,
  readFrame,
  type ReceivedFrame,
  SentBytes,
  TakenBytes,
  writeFrame,
} from '../wire/link.js'

/**
 * A string is the text of a JSON frame, an ArrayBuffer any other frame. An attachment is the number of its kind followed by its bare bytes,
 * so it needs no copy.
 */
type PortItem = number | string | ArrayBuffer

/** A frame, or an array of the items that belong together. A number alone, sent by the receiver, is credit. */
export type PortMessage = string | ArrayBuffer | PortItem[]

/** Items of a frame with as many attachments as it can have. */
const MAX_ITEMS: number = 2 * (MAX_ATTACHED_BYTES / MIN_ATTACHMENT_BYTES) + 1

const INVALID = -1

/** Returns the cost of a message in credit, or `INVALID` if it is malformed as far as can be seen without reading it. */
function getCost(message: unknown): number {
  if (typeof message === 'string') return message.length + BUFFER_COST
  if (isArrayBuffer(message)) return message.byteLength + BUFFER_COST
  if (message === FRAME_KIND.bytes) return BUFFER_COST
  if (!Array.isArray(message) || message.length > MAX_ITEMS) return INVALID
  let cost = BUFFER_COST
  for (let i = 0; i < message.length; i++) {
    const item: unknown = message[i]
    if (isArrayBuffer(item)) cost += item.byteLength + BUFFER_COST
    else if (item !== FRAME_KIND.bytes) return INVALID
  }
  return cost
}

class PortMessageWriter {
  /** Attachments that wait for the frame which they belong to. */
  #held: PortItem[] = []

  /** Returns the message to post, or `undefined` if this frame belongs to the next one. */
  write(frame: Frame): PortMessage | undefined {
    const { kind, body, more, borrowed } = frame
    if (kind === FRAME_KIND.json && typeof body === 'string' && this.#held.length === 0) return body
    if (kind === FRAME_KIND.bytes && typeof body !== 'string') {
      this.#held.push(kind, !borrowed && ownsWholeBuffer(body, 0) ? body.buffer : new Uint8Array(body).buffer)
      return undefined
    }
    const bytes = writeFrame(frame)
    if (this.#held.length === 0 && !more) return bytes
    this.#held.push(bytes)
    if (more) return undefined
    const items = this.#held
    this.#held = []
    return items
  }
}

class PortMessageReader {
  /** True if the next ArrayBuffer is an attachment. */
  #expectsAttachment = false

  /** Returns the frame in an item, `undefined` for the number before an attachment, and `null` for an invalid item. */
  read(item: PortItem, more: boolean): ReceivedFrame | undefined | null {
    if (!isArrayBuffer(item)) {
      if (this.#expectsAttachment) return null
      if (typeof item === 'string') return { kind: FRAME_KIND.json, body: item }
      this.#expectsAttachment = true
      return undefined
    }
    const bytes = new Uint8Array(item)
    let frame: ReceivedFrame | undefined
    if (this.#expectsAttachment) {
      this.#expectsAttachment = false
      frame = { kind: FRAME_KIND.bytes, body: bytes }
    } else {
      frame = readFrame(bytes)
      if (!frame || frame.kind === FRAME_KIND.bytes) return null
    }
    if (more) frame.more = true
    return frame
  }
}

/** An item that is not delivered yet. */
interface ArrivedItem {
  item: PortItem
  more: boolean
  /** Cost of the whole message, at its last item. */
  cost: number
}

class PortLink implements Link {
  readonly #out: MessagePort
  readonly #in: MessagePort
  readonly #writer = new PortMessageWriter()
  readonly #reader = new PortMessageReader()
  readonly #sent = new SentBytes()
  readonly #taken = new TakenBytes()
  readonly #room = new RoomSignal()
  #receiver: LinkReceiver | undefined
  /** False after `close` on this end. */
  #open = true
  /** True after the port to receive from has closed: nothing more will come. */
  #over = false
  /** True after the port to send to has closed: what is sent is dropped. */
  #isAbandoned = false
  /** True after `closed` was called. */
  #ended = false
  #paused = false
  /** Messages that wait for credit. */
  #waiting: { message: PortMessage; cost: number }[] = []
  #waitingBytes = 0
  /** Items that wait for `resume`. */
  #arrived: ArrivedItem[] = []
  #arrivedBytes = 0
  #linger: NodeJS.Timeout | undefined

  constructor(out: MessagePort, inward: MessagePort) {
    this.#out = out
    this.#in = inward
    // Registered before there is a receiver: a port emits its end only once.
    out.on('close', () => this.#onOutClosed())
    inward.on('close', () => this.#onInClosed())
  }

  get queued(): number {
    return this.#isAbandoned ? 0 : this.#sent.open + this.#waitingBytes
  }

  send(frame: Frame): void {
    if (!this.#open || this.#isAbandoned) return
    const message = this.#writer.write(frame)
    if (message === undefined) return
    const cost = getCost(message)
    if (this.#waiting.length === 0 && !this.#sent.full) return this.#post(message, cost)
    this.#waiting.push({ message, cost })
    this.#waitingBytes += cost
  }

  room(): Promise<void> | undefined {
    return this.#waiting.length === 0 ? undefined : this.#room.promise
  }

  receive(receiver: LinkReceiver): void {
    const isFirst = !this.#receiver
    this.#receiver = receiver
    if (!isFirst) return
    if (this.#over) return queueMicrotask(() => this.#deliver())
    // A closed port still delivers what had arrived before.
    this.#in.on('message', (data: unknown) => this.#onMessage(data))
    if (this.#out !== this.#in) this.#out.on('message', (data: unknown) => this.#onCredit(data))
    for (const port of [this.#in, this.#out]) {
      port.on('messageerror', () => this.#fault('The peer sent an unreadable message'))
    }
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    queueMicrotask(() => this.#deliver())
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    // A port that has closed already emits nothing more.
    if (this.#over) queueMicrotask(() => this.#end())
    if (this.#waiting.length === 0 || !this.#receiver) return this.#closePorts()
    this.#linger = setTimeout(() => this.#closePorts(), LINGER_MS)
  }

  #post(message: PortMessage, cost: number): void {
    this.#sent.add(cost)
    if (typeof message === 'string') return this.#out.postMessage(message)
    if (isArrayBuffer(message)) return this.#out.postMessage(message, [message])
    this.#out.postMessage(message, message.filter(isArrayBuffer))
  }

  #onMessage(data: unknown): void {
    if (typeof data === 'number' && data >= CREDIT_STEP_BYTES && this.#in === this.#out) return this.#onCredit(data)
    if (!this.#open) return
    const cost = getCost(data)
    if (cost === INVALID) return this.#fault()
    if (!Array.isArray(data) && !this.#paused && this.#arrived.length === 0) {
      return this.#read(data as PortItem, false, cost)
    }
    // A correct peer sends nothing after it has filled the window.
    if (this.#arrivedBytes >= CREDIT_WINDOW_BYTES) return this.#fault('The peer exceeded its credit')
    const items = Array.isArray(data) ? (data as PortItem[]) : [data as PortItem]
    items.forEach((item, i) => {
      const isLast = i + 1 === items.length
      this.#arrived.push({ item, more: !isLast, cost: isLast ? cost : 0 })
    })
    this.#arrivedBytes += cost
    this.#deliver()
  }

  /** Delivers what has arrived until the link is paused, and then the end if it has come. */
  #deliver(): void {
    if (!this.#receiver) return
    let next = 0
    try {
      while (this.#open && !this.#paused && next < this.#arrived.length) {
        const { item, more, cost } = this.#arrived[next++]!
        this.#arrivedBytes -= cost
        this.#read(item, more, cost)
      }
    } finally {
      this.#arrived.splice(0, next)
    }
    if (this.#over && !this.#paused) this.#end()
  }

  #read(item: PortItem, more: boolean, cost: number): void {
    const frame = this.#reader.read(item, more)
    if (frame === null) return this.#fault()
    if (frame) deliverFrame(frame, this.#receiver!)
    const total = this.#taken.add(cost)
    if (total > 0 && !this.#over) this.#in.postMessage(total)
  }

  #onCredit(total: unknown): void {
    if (!this.#sent.taken(total as number)) return this.#fault('The peer acknowledged more than was sent')
    let next = 0
    while (next < this.#waiting.length && !this.#sent.full) {
      const { message, cost } = this.#waiting[next++]!
      this.#waitingBytes -= cost
      this.#post(message, cost)
    }
    this.#waiting.splice(0, next)
    if (this.#waiting.length > 0) return void this.#linger?.refresh()
    this.#room.release()
    if (!this.#open) this.#closePorts()
  }

  #onOutClosed(): void {
    this.#isAbandoned = true
    this.#waiting = []
    this.#waitingBytes = 0
    clearTimeout(this.#linger)
    this.#room.release()
    if (!this.#open) this.#closePorts()
  }

  #onInClosed(): void {
    this.#over = true
    if (this.#open) this.#deliver()
    else this.#end()
  }

  #fault(text = 'The peer sent an invalid frame'): void {
    this.#open = false
    this.#waiting = []
    this.#end(new BusError('InvalidRequest', text))
  }

  /** Reports the end. The receiver can still send its last frames, unless the peer was at fault. */
  #end(fault?: BusError): void {
    if (this.#ended || !this.#receiver) return
    this.#ended = true
    this.#over = true
    this.#arrived = []
    this.#receiver.closed(fault)
    if (fault) this.#closePorts()
    else this.close()
  }

  #closePorts(): void {
    this.#out.close()
    this.#in.close()
  }
}

/** Creates one end of a link. @param inward - the same as `out` if both directions share a port */
export const createPortLink = (out: MessagePort, inward: MessagePort = out): Link => new PortLink(out, inward)
