// A link over MessagePorts: one for what this thread sends, one for what it receives; often the same. A frame is one message. JSON travels as
// a string, which costs less than its bytes. A port deserializes whatever the peer posts, so only strings, ArrayBuffers and credit are
// accepted; everything else is a fault.
import type { MessagePort } from 'node:worker_threads'
import { BusError } from '../errors/bus-error.js'
import { BoundedQueue } from '../util/bounded-queue.js'
import { silence } from '../util/timers.js'
import { isArrayBuffer } from '../util/type-guards.js'
import { CreditQueue, ReceivingLink, TakenBytes } from '../wire/flow.js'
import { BUFFER_COST, CREDIT_STEP_BYTES, CREDIT_WINDOW_BYTES } from '../wire/limits.js'
import {
  type Frame,
  LINGER_MS,
  type Link,
  type LinkReceiver,
  ownsWholeBuffer,
  readFrame,
  type ReceivedFrame,
  writeFrame,
} from '../wire/link.js'
import { FRAME_KIND } from '../wire/messages.js'

/**
 * A string is the text of a JSON frame. An array holds an attachment, which needs no copy without a kind byte. An ArrayBuffer holds any other
 * frame, after its kind byte. The receiver sends numbers, which are credit.
 */
export type PortMessage = string | ArrayBuffer | [ArrayBuffer]

const INVALID_FRAME = 'The peer sent an invalid frame'

function isPortMessage(message: unknown): message is PortMessage {
  if (typeof message === 'string' || isArrayBuffer(message)) return true
  return Array.isArray(message) && message.length === 1 && isArrayBuffer(message[0])
}

function getCost(message: PortMessage): number {
  if (typeof message === 'string') return message.length + BUFFER_COST
  return (isArrayBuffer(message) ? message : message[0]).byteLength + BUFFER_COST
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

export class PortLink extends ReceivingLink implements Link {
  readonly #out: MessagePort
  readonly #in: MessagePort
  readonly #post = (message: PortMessage): void => {
    if (typeof message === 'string') this.#out.postMessage(message)
    else this.#out.postMessage(message, isArrayBuffer(message) ? [message] : message)
  }
  readonly #outgoing = new CreditQueue<PortMessage>(this.#post, getCost)
  readonly #taken = new TakenBytes()
  readonly #arrived = new BoundedQueue<PortMessage>({ count: Infinity, bytes: CREDIT_WINDOW_BYTES })
  /** A message that need not wait. */
  #current: PortMessage | undefined
  #isListening = false
  /** See `Link`. */
  unsent = 0
  #endLinger = (): void => {}

  /** @param inward - by default `out`: both directions share a port */
  constructor(out: MessagePort, inward: MessagePort = out) {
    super()
    this.#out = out
    this.#in = inward
    // Registered before there is a receiver: a port emits its end only once.
    out.on('close', () => this.#onOutClosed())
    inward.on('close', () => this.endDelivery())
  }

  get queued(): number {
    return this.#outgoing.queued
  }

  send(frame: Frame): void {
    if (this.isOpen) this.#outgoing.add(toMessage(frame))
  }

  room(): Promise<void> | undefined {
    return this.#outgoing.room()
  }

  override receive(receiver: LinkReceiver): void {
    super.receive(receiver)
    if (this.#isListening || this.isOver) return
    this.#isListening = true
    // A closed port still delivers what had arrived before.
    this.#in.on('message', this.#onMessage)
    if (this.#out !== this.#in) this.#out.on('message', (data: unknown) => this.#onCredit(data))
    for (const port of [this.#in, this.#out]) {
      port.on('messageerror', () => this.#fail('The peer sent an unreadable message'))
    }
  }

  close(): void {
    if (!this.isOpen) return
    this.closeDelivery()
    if (!this.#outgoing.isWaiting || !this.#isListening) return this.#closePorts()
    // A peer without room can read nothing, so it would never take what waits.
    for (let message = this.#arrived.shift(); message !== undefined; message = this.#arrived.shift())
      this.#take(message)
    if (this.isPatient) return
    this.#endLinger = silence(LINGER_MS, { readSign: () => this.queued }, () => {
      this.unsent = this.#outgoing.waitingBytes
      this.#closePorts()
    })
  }

  readonly #onMessage = (data: unknown): void => {
    if (typeof data === 'number' && data >= CREDIT_STEP_BYTES && this.#in === this.#out) return this.#onCredit(data)
    if (!this.isOpen) return isPortMessage(data) ? this.#take(data) : undefined
    if (!isPortMessage(data)) return this.#fail(INVALID_FRAME)
    // A correct peer sends nothing after it has filled the window.
    if (this.#arrived.isFull) return this.#fail('The peer exceeded its credit')
    if (this.#arrived.size === 0 && this.isReady) this.#current = data
    else this.#arrived.push(data, getCost(data))
    this.deliver()
  }

  protected nextFrame(): ReceivedFrame | undefined {
    const message = this.#current ?? this.#arrived.shift()
    this.#current = undefined
    if (message === undefined) return undefined
    const frame = toFrame(message)
    if (!frame) throw new BusError('InvalidRequest', INVALID_FRAME)
    this.#take(message)
    return frame
  }

  /** Returns the credit of a message, which can be dropped. */
  #take(message: PortMessage): void {
    const total = this.#taken.add(getCost(message))
    if (total > 0 && !this.isOver) this.#in.postMessage(total)
  }

  #onCredit(total: unknown): void {
    if (!this.#outgoing.acknowledge(total)) return this.#fail('The peer acknowledged more than was sent')
    if (!this.#outgoing.isWaiting && !this.isOpen) this.#closePorts()
  }

  #onOutClosed(): void {
    this.#outgoing.close()
    this.#endLinger()
    if (!this.isOpen) this.#closePorts()
  }

  #fail(text: string): void {
    this.#outgoing.close()
    this.failDelivery(new BusError('InvalidRequest', text))
  }

  protected override ended(fault: BusError | undefined): void {
    if (fault) this.#closePorts()
    else this.close()
  }

  #closePorts(): void {
    this.#out.close()
    this.#in.close()
  }
}
