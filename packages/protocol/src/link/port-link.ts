// A link over MessagePorts: one for what this thread sends, one for what it receives; often the same. A frame is one message. JSON travels as
// a string, which costs less than its bytes. A port deserializes whatever the peer posts, so only strings, ArrayBuffers and credit are
// accepted; everything else is a fault.
import type { MessagePort } from 'node:worker_threads'
import { BusError } from '../errors/bus-error.js'
import { RoomSignal } from '../util/room-signal.js'
import { isArrayBuffer } from '../util/type-guards.js'
import { BUFFER_COST, CREDIT_STEP_BYTES, CREDIT_WINDOW_BYTES } from '../wire/limits.js'
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
 * A string is the text of a JSON frame. An array holds an attachment, which needs no copy without a kind byte. An ArrayBuffer holds any other
 * frame, after its kind byte. The receiver sends numbers, which are credit.
 */
export type PortMessage = string | ArrayBuffer | [ArrayBuffer]

const INVALID = -1

/** Returns the cost of a message in credit, or `INVALID` if it is malformed as far as can be seen without reading it. */
function getCost(message: unknown): number {
  if (typeof message === 'string') return message.length + BUFFER_COST
  const buffer: unknown = Array.isArray(message) && message.length === 1 ? message[0] : message
  return isArrayBuffer(buffer) ? buffer.byteLength + BUFFER_COST : INVALID
}

function toMessage(frame: Frame): PortMessage {
  const { kind, body, borrowed } = frame
  if (typeof body === 'string' && kind === FRAME_KIND.json) return body
  if (typeof body === 'string' || kind !== FRAME_KIND.bytes) return writeFrame(frame)
  return [!borrowed && ownsWholeBuffer(body, 0) ? body.buffer : new Uint8Array(body).buffer]
}

/** Returns `undefined` if the kind byte is invalid. */
function toFrame(message: PortMessage): ReceivedFrame | undefined {
  if (typeof message === 'string') return { kind: FRAME_KIND.json, body: message }
  if (Array.isArray(message)) return { kind: FRAME_KIND.bytes, body: new Uint8Array(message[0]) }
  const frame = readFrame(new Uint8Array(message))
  return frame?.kind === FRAME_KIND.bytes ? undefined : frame
}

class PortLink implements Link {
  readonly #out: MessagePort
  readonly #in: MessagePort
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
  /** Messages that wait for `resume`. */
  #arrived: { message: PortMessage; cost: number }[] = []
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
    const message = toMessage(frame)
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
    if (typeof message === 'string') this.#out.postMessage(message)
    else this.#out.postMessage(message, isArrayBuffer(message) ? [message] : message)
  }

  #onMessage(data: unknown): void {
    if (typeof data === 'number' && data >= CREDIT_STEP_BYTES && this.#in === this.#out) return this.#onCredit(data)
    if (!this.#open) return
    const cost = getCost(data)
    if (cost === INVALID) return this.#fault()
    const message = data as PortMessage
    if (!this.#paused && this.#arrived.length === 0) return this.#read(message, cost)
    // A correct peer sends nothing after it has filled the window.
    if (this.#arrivedBytes >= CREDIT_WINDOW_BYTES) return this.#fault('The peer exceeded its credit')
    this.#arrived.push({ message, cost })
    this.#arrivedBytes += cost
    this.#deliver()
  }

  /** Delivers what has arrived until the link is paused, and then the end if it has come. */
  #deliver(): void {
    if (!this.#receiver) return
    let next = 0
    try {
      while (this.#open && !this.#paused && next < this.#arrived.length) {
        const { message, cost } = this.#arrived[next++]!
        this.#arrivedBytes -= cost
        this.#read(message, cost)
      }
    } finally {
      this.#arrived.splice(0, next)
    }
    if (this.#over && !this.#paused) this.#end()
  }

  #read(message: PortMessage, cost: number): void {
    const frame = toFrame(message)
    if (!frame) return this.#fault()
    deliverFrame(frame, this.#receiver!)
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
