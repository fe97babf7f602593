// The script host's end of the link of a VM: it passes frames between the VM and core, which reads them as those of any frontend. Nothing of them
// is read here, but the VM is a hostile peer: what it sends is bounded before this thread keeps it.
import { BusError } from '@sallyport/protocol/internal/errors'
import { createDeferred } from '@sallyport/protocol/internal/util'
import {
  type Frame,
  FRAME_KIND,
  isFrameKind,
  type Link,
  MAX_BODY_BYTES,
  MIN_ATTACHMENT_BYTES,
  type ReceivedFrame,
} from '@sallyport/protocol/internal/wire'
import { createForged } from './services.js'

/** What a frame that waits takes at least, however small it is. */
const MIN_FRAME_BYTES = 512
/** Bytes of a turn of the VM that are sent before it ends: core reads them meanwhile. */
const MAX_TURN_BYTES = 2 ** 14

export interface CoreLinkDeps {
  /** Bytes that can wait until core takes them: the limit of the script's memory. */
  maxBytes: number
  receive(frame: ReceivedFrame): void
  /** The link has room again. */
  room(): void
  closed(): void
}

export class CoreLink {
  readonly #deps: CoreLinkDeps
  #link: Link | undefined
  /** Of the link. */
  #closed = createDeferred()
  /** Frames of this turn of the VM. */
  #frames: Frame[] = []
  /** Bytes of frames since the link had room. */
  #waitingBytes = 0
  /** Bytes of attachments whose message has not followed yet. */
  #attachedBytes = 0
  /** The link has no room, so the script is not idle. */
  isFull = false

  constructor(deps: CoreLinkDeps) {
    this.#deps = deps
  }

  attach(link: Link): void {
    this.#frames = []
    this.#link?.close()
    this.#link = link
    const closed = (this.#closed = createDeferred())
    this.isFull = false
    this.#waitingBytes = this.#attachedBytes = 0
    link.receive({
      readsImmediately: true,
      frame: frame => link === this.#link && this.#deps.receive(frame),
      closed: () => {
        closed.resolve()
        if (link === this.#link) this.#deps.closed()
      },
    })
  }

  /** Sends a frame. Returns true if the link has no room for more. @throws {BusError} for a peer that is hostile */
  send(body: string | Uint8Array, kind: number = FRAME_KIND.json): boolean {
    const bytes = body.length
    // The VM sends no records: these are a gate's.
    if (!isFrameKind(kind) || kind === FRAME_KIND.sealed || bytes > MAX_BODY_BYTES) throw createForged()
    this.#attachedBytes = kind === FRAME_KIND.bytes ? this.#attachedBytes + Math.max(bytes, MIN_ATTACHMENT_BYTES) : 0
    this.#checkMemory(this.#attachedBytes)
    if (this.#frames.push({ kind, body }) === 1) queueMicrotask(() => this.flush())
    this.#waitingBytes += Math.max(bytes, MIN_FRAME_BYTES)
    if (this.isFull || this.#waitingBytes > MAX_TURN_BYTES) this.flush()
    this.#checkMemory(this.#waitingBytes)
    return this.isFull
  }

  /** Sends what waits: at the end of the turn, or while it lasts long. Sooner, this thread would seem awake to core, which would poll for the next frame. */
  flush(): void {
    const link = this.#link!
    const frames = this.#frames
    if (frames.length === 0) return
    this.#frames = []
    for (const frame of frames) link.send(frame)
    const room = link.room()
    if (!room) return void (this.#waitingBytes = 0)
    if (!this.isFull) void room.then(() => this.#hasRoom(link))
    this.isFull = true
  }

  /** Resolves once what waits has left. */
  close(): Promise<void> {
    this.flush()
    this.#link!.close()
    return this.#closed.promise
  }

  #checkMemory(bytes: number): void {
    const { maxBytes } = this.#deps
    if (bytes <= maxBytes) return
    const max = maxBytes / 2 ** 20
    const text = `The script was ended: its messages that core has not taken exceed its memory (${max} MiB)`
    throw new BusError('Overloaded', text, { data: { limit: 'memory', max } })
  }

  #hasRoom(link: Link): void {
    if (link !== this.#link) return
    this.#waitingBytes = 0
    this.isFull = false
    this.#deps.room()
  }
}
