// A link whose two ends are in one thread: what one end sends waits at the other one until its receiver takes it, in a later microtask, or
// immediately if the receiver forwards it.
// Only for a peer that waits for events of its own: two that answer each other at once would keep all others from running.
import { queueMicrotask } from '#platform'
import type { BusError } from '../errors/bus-error.js'
import { BoundedQueue } from '../util/bounded-queue.js'
import { callSafely } from '../util/promises.js'
import { createOwnFault, ReceivingLink, RoomSignal } from '../wire/flow.js'
import { BUFFER_COST, CREDIT_WINDOW_BYTES } from '../wire/limits.js'
import {
  type Frame,
  getHeadroom,
  type Link,
  type LinkReceiver,
  ownsWholeBuffer,
  type ReceivedFrame,
} from '../wire/link.js'
import { FRAME_KIND } from '../wire/messages.js'

export class LocalLink extends ReceivingLink implements Link {
  #peer!: LocalLink
  readonly #arrived = new BoundedQueue<ReceivedFrame>({ count: Infinity, bytes: CREDIT_WINDOW_BYTES })
  readonly #room = new RoomSignal()
  #isDeliveryScheduled = false
  #forwarder: LinkReceiver | undefined

  static createPair(): [LocalLink, LocalLink] {
    const [near, far] = [new LocalLink(), new LocalLink()]
    near.#peer = far
    far.#peer = near
    return [near, far]
  }

  get queued(): number {
    return this.isOver ? 0 : this.#peer.#arrived.bytes
  }

  send(frame: Frame): void {
    const peer = this.#peer
    if (!this.isOpen || !peer.isOpen) return
    // A bridge sends the frame on immediately, so it needs neither a copy nor a microtask.
    const forwarder = peer.#forwarder
    if (forwarder && peer.isReady && peer.#arrived.size === 0)
      return callSafely(
        () => forwarder.frame(frame),
        forwarder.isShared ? error => peer.failDelivery(createOwnFault(error)) : undefined,
      )
    peer.#arrived.push(toReceived(frame), frame.body.length + BUFFER_COST)
    if (peer.#isDeliveryScheduled) return
    peer.#isDeliveryScheduled = true
    queueMicrotask(() => {
      peer.#isDeliveryScheduled = false
      peer.deliver()
    })
  }

  override receive(receiver: LinkReceiver): void {
    this.#forwarder = receiver.forwards ? receiver : undefined
    super.receive(receiver)
  }

  room(): Promise<void> | undefined {
    return !this.isOver && this.#peer.#arrived.isFull ? this.#room.promise : undefined
  }

  close(): void {
    if (!this.isOpen) return
    this.closeDelivery()
    this.#arrived.clear()
    for (const end of [this, this.#peer]) queueMicrotask(() => end.endDelivery())
  }

  protected nextFrame(): ReceivedFrame | undefined {
    const frame = this.#arrived.shift()
    if (!this.#arrived.isFull) this.#peer.#room.release()
    return frame
  }

  protected override endDelivery(): void {
    this.#room.release()
    super.endDelivery()
  }

  protected override ended(fault: BusError | undefined): void {
    if (fault) queueMicrotask(() => this.#peer.endDelivery())
  }
}

/** Returns the frame with memory that the sender neither reads nor writes any more. */
function toReceived({ kind, body, borrowed }: Frame): ReceivedFrame {
  if (typeof body === 'string') return { kind, body }
  const headroom = getHeadroom(kind)
  const isTransferred = kind === FRAME_KIND.bytes || kind === FRAME_KIND.sealed
  if (isTransferred && !borrowed && ownsWholeBuffer(body, headroom)) return { kind, body }
  const copy = new Uint8Array(headroom + body.length).subarray(headroom)
  copy.set(body)
  return { kind, body: copy }
}

/** An end of a pair, as a message within this thread can hold it. */
export type LocalEndpoint = { kind: 'local'; id: number }

const unopened = new Map<number, LocalLink>()
let lastId = 0

export function createLocalEndpoints(): [LocalEndpoint, LocalEndpoint] {
  const [near, far] = LocalLink.createPair().map((link): LocalEndpoint => {
    const id = ++lastId
    unopened.set(id, link)
    return { kind: 'local', id }
  })
  return [near!, far!]
}

/** Takes an end, once: further calls return a link that is closed. */
export function openLocalLink({ id }: LocalEndpoint): LocalLink {
  const link = unopened.get(id)
  unopened.delete(id)
  if (link) return link
  const [closed] = LocalLink.createPair()
  closed.close()
  return closed
}
