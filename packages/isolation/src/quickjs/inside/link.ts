// The link of a VM: frames go to the script host, which sends them to core, and come from it.
import type { ScriptLink } from '@sallyport/frontend/internal'
import { createDeferred, type Deferred } from '@sallyport/protocol/internal/util'
import { type Frame, FRAME_KIND, type FrameKind, type Link } from '@sallyport/protocol/internal/wire'
import { sendFrame } from './host.js'
import { post } from './port.js'

type LinkReceiver = Parameters<Link['receive']>[0]

/** Set while the link of the script host has no room. */
let full: Deferred<void> | undefined
let current: VmLink | undefined

export class VmLink implements ScriptLink {
  /** The host counts what core has not taken. */
  readonly queued = 0
  #receiver: LinkReceiver | undefined
  #held: Deferred<void> | undefined

  send({ kind, body }: Frame): void {
    const isFull = typeof body === 'string' ? sendFrame(body) : sendFrame(body.slice().buffer as ArrayBuffer, kind)
    if (isFull === true) full ??= createDeferred()
  }

  room(): Promise<void> | undefined {
    return (this.#held ?? full)?.promise
  }

  hold(): void {
    this.#held = createDeferred()
  }

  release(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  open(): void {
    setCurrent(this)
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver
  }

  /** A client takes all that arrives. */
  pause(): void {}
  resume(): void {}

  close(): void {
    if (current === this) post('close')
    void Promise.resolve().then(() => this.closed())
  }

  closed(): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.closed()
  }

  deliver(body: string | Uint8Array, kind: FrameKind): void {
    this.#receiver?.frame({ kind, body })
  }
}

const setCurrent = (link: VmLink): void => void (current = link)

export function setRoom(): void {
  full?.resolve()
  full = undefined
}

/** Takes a frame. */
export const receive = (body: string | Uint8Array, kind: FrameKind = FRAME_KIND.json): void =>
  current?.deliver(body, kind)

/** The link has closed. */
export const closed = (): void => current?.closed()
