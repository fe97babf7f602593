// A link over a MessagePort: one `postMessage` a frame, or for what belongs together. What comes in is an ArrayBuffer, or a
// fault: a port deserializes whatever the other side posts, so nothing richer is let in. A number, too, is taken: the total of
// bytes that the peer has taken. What is beyond the window waits here.
import type { MessagePort } from 'node:worker_threads'
import { BusError } from '../errors/bus-error.js'
import { isArrayBuffer } from '../util/type-guards.js'
import { RoomSignal } from '../util/room-signal.js'
import { SentBytes, TakenBytes } from '../wire/link.js'
import { type Frame, FRAME_KIND, ownsWholeBuffer, readFrame, writeFrame } from '../wire/link.js'
import {
  BUFFER_COST,
  CREDIT_STEP_BYTES,
  CREDIT_WINDOW_BYTES,
  MAX_ATTACHED_BYTES,
  MIN_ATTACHMENT_BYTES,
} from '../wire/limits.js'
import type { Link, LinkReceiver, ReceivedFrame } from '../wire/link.js'

// What is posted on the port of a link, and what may come: an ArrayBuffer with a frame in it; the number of its kind and then
// its bytes alone for an attachment, which so needs no copy; or a list of these, of what belongs together.

export type PortMessage = ArrayBuffer | (number | ArrayBuffer)[]

/** As many attachments as a frame can have, a number before each, and the frame. */
const MAX_LIST: number = 2 * (MAX_ATTACHED_BYTES / MIN_ATTACHMENT_BYTES) + 1

const NONE = -1

/** What a post costs of the window; less than 0 for what is none, as far as can be told without reading it. */
function getCost(post: unknown): number {
  if (isArrayBuffer(post)) return post.byteLength + BUFFER_COST
  if (post === FRAME_KIND.bytes) return BUFFER_COST
  if (!Array.isArray(post) || post.length > MAX_LIST) return NONE
  let cost = BUFFER_COST
  for (let i = 0; i < post.length; i++) {
    const item: unknown = post[i]
    if (isArrayBuffer(item)) cost += item.byteLength + BUFFER_COST
    else if (item !== FRAME_KIND.bytes) return NONE
  }
  return cost
}

/** Gathers frames into posts. */
class PortMessageWriter {
  /** What waits for the frame that it belongs to. */
  #held: (number | ArrayBuffer)[] = []

  /** None where this belongs to what is sent next. */
  write(frame: Frame): PortMessage | undefined {
    const { kind, body, more } = frame
    if (kind === FRAME_KIND.bytes && typeof body !== 'string') {
      this.#held.push(kind, ownsWholeBuffer(body, 0) ? body.buffer : new Uint8Array(body).buffer)
      return undefined
    }
    const bytes = writeFrame(frame)
    if (this.#held.length === 0 && !more) return bytes
    this.#held.push(bytes)
    if (more) return undefined
    const list = this.#held
    this.#held = []
    return list
  }
}

/** Makes frames of what comes. */
class PortMessageReader {
  /** The next ArrayBuffer is an attachment. */
  #attaching = false

  /** The frame; `undefined` for the number before an attachment, and `null` for what is no frame. */
  read(item: number | ArrayBuffer, more: boolean): ReceivedFrame | undefined | null {
    if (!isArrayBuffer(item)) {
      if (this.#attaching) return null
      this.#attaching = true
      return undefined
    }
    const bytes = new Uint8Array(item)
    let frame: ReceivedFrame | undefined
    if (this.#attaching) {
      this.#attaching = false
      frame = { kind: FRAME_KIND.bytes, body: bytes }
    } else {
      frame = readFrame(bytes)
      if (!frame || frame.kind === FRAME_KIND.bytes) return null
    }
    if (more) frame.more = true
    return frame
  }
}

/** How long a link that was closed waits for a peer that takes nothing of what still waits, in milliseconds: a busy one. */
const LINGER = 30_000

/** A part of a post, that was not delivered yet. */
interface Arrived {
  item: number | ArrayBuffer
  more: boolean
  /** Of the whole post, at its last part. */
  cost: number
}

class PortLink implements Link {
  readonly #port: MessagePort
  readonly #writer = new PortMessageWriter()
  readonly #reader = new PortMessageReader()
  readonly #sent = new SentBytes()
  readonly #taken = new TakenBytes()
  readonly #room = new RoomSignal()
  #receiver: LinkReceiver | undefined
  #open = true
  #ended = false
  /** Nothing more will come. */
  #over = false
  #paused = false
  /** What waits for the peer to take what came before. */
  #waiting: { post: PortMessage; cost: number }[] = []
  #waitingBytes = 0
  /** What waits for `resume`, and what it costs. */
  #arrived: Arrived[] = []
  #arrivedBytes = 0
  #linger: NodeJS.Timeout | undefined

  constructor(port: MessagePort) {
    this.#port = port
    // Heard even where nothing is received yet: a port tells of its end once.
    port.on('close', () => this.#peerGone())
  }

  get queued(): number {
    return this.#over ? 0 : this.#sent.open + this.#waitingBytes
  }

  send(frame: Frame): void {
    if (!this.#open || this.#over) return
    const post = this.#writer.write(frame)
    if (post === undefined) return
    const cost = getCost(post)
    if (this.#waiting.length === 0 && !this.#sent.full) return this.#post(post, cost)
    this.#waiting.push({ post, cost })
    this.#waitingBytes += cost
  }

  room(): Promise<void> | undefined {
    return this.#waiting.length === 0 || this.#over ? undefined : this.#room.promise
  }

  receive(receiver: LinkReceiver): void {
    const first = !this.#receiver
    this.#receiver = receiver
    if (!first) return
    if (this.#over) return queueMicrotask(() => this.#deliver())
    // A port still delivers what had arrived before it was closed.
    this.#port.on('message', (data: unknown) => this.#take(data))
    this.#port.on('messageerror', () => this.#fault('The peer sent an unreadable message'))
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
    if (this.#over) return queueMicrotask(() => this.#end())
    if (this.#waiting.length === 0 || !this.#receiver) return this.#port.close()
    this.#linger = setTimeout(() => this.#port.close(), LINGER)
  }

  #post(post: PortMessage, cost: number): void {
    this.#sent.add(cost)
    if (isArrayBuffer(post)) return this.#port.postMessage(post, [post])
    this.#port.postMessage(
      post,
      post.filter(item => typeof item !== 'number'),
    )
  }

  #take(data: unknown): void {
    if (typeof data === 'number' && data >= CREDIT_STEP_BYTES) return this.#credit(data)
    if (!this.#open) return
    const cost = getCost(data)
    if (cost < 0) return this.#fault()
    if (isArrayBuffer(data) && !this.#paused && this.#arrived.length === 0) return this.#read(data, false, cost)
    // An honest peer sends nothing once it has filled the window.
    if (this.#arrivedBytes >= CREDIT_WINDOW_BYTES) return this.#fault('The peer sends more than it has credit for')
    const items = Array.isArray(data) ? (data as Arrived['item'][]) : [data as Arrived['item']]
    items.forEach((item, i) => {
      const last = i + 1 === items.length
      this.#arrived.push({ item, more: !last, cost: last ? cost : 0 })
    })
    this.#arrivedBytes += cost
    this.#deliver()
  }

  /** What has arrived, until it is paused; and then the end, where it has come. */
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

  #read(item: number | ArrayBuffer, more: boolean, cost: number): void {
    const frame = this.#reader.read(item, more)
    if (frame === null) return this.#fault()
    if (frame) this.#receiver!.frame(frame)
    const total = this.#taken.add(cost)
    if (total > 0 && !this.#over) this.#port.postMessage(total)
  }

  #credit(total: number): void {
    if (!this.#sent.taken(total)) return this.#fault('The peer has taken more than was sent')
    let next = 0
    while (next < this.#waiting.length && !this.#sent.full) {
      const { post, cost } = this.#waiting[next++]!
      this.#waitingBytes -= cost
      this.#post(post, cost)
    }
    this.#waiting.splice(0, next)
    if (this.#waiting.length > 0) return void this.#linger?.refresh()
    this.#room.release()
    if (!this.#open) this.#port.close()
  }

  #peerGone(): void {
    this.#over = true
    clearTimeout(this.#linger)
    this.#room.release()
    if (this.#open) this.#deliver()
    else this.#end()
  }

  #fault(text = 'The peer sent something that is no frame'): void {
    this.#end(new BusError('InvalidRequest', text))
  }

  #end(fault?: BusError): void {
    if (this.#ended || !this.#receiver) return
    this.#ended = true
    this.#open = false
    this.#over = true
    this.#port.close()
    this.#waiting = []
    this.#arrived = []
    this.#room.release()
    this.#receiver.closed(fault)
  }
}

export const createPortLink = (port: MessagePort): Link => new PortLink(port)
