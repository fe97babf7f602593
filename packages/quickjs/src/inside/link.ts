// The links of a VM: their frames go to the script host, which sends them to core, and come from it.
import type { ScriptLink } from '@sallyport/frontend/internal'
import { createDeferred, type Deferred } from '@sallyport/protocol/internal/util'
import { type Frame, FRAME_KIND, type FrameKind, type Link } from '@sallyport/protocol/internal/wire'

type LinkReceiver = Parameters<Link['receive']>[0]

export interface VmLinks {
  create(): ScriptLink
  /** The link of the script host has room again. */
  setRoom(): void
  /** Takes a frame. */
  receive(body: string | Uint8Array, kind?: FrameKind): void
  /** The link of the script host has closed. */
  closed(): void
}

/**
 * @param sendFrame - returns true if the script host has no room for more
 * @param closeHost - closes the link of the script host
 */
export function createVmLinks(sendFrame: (frame: Frame) => unknown, closeHost: () => void): VmLinks {
  /** Set while the link of the script host has no room. */
  let full: Deferred<void> | undefined
  let current: VmLink | undefined

  const setCurrent = (link: VmLink): void => void (current = link)
  function setRoom(): void {
    full?.resolve()
    full = undefined
  }

  class VmLink implements ScriptLink {
    /** The host counts what core has not taken. */
    readonly queued = 0
    #receiver: LinkReceiver | undefined
    #held: Deferred<void> | undefined
    #isClosed = false

    send(frame: Frame): void {
      if (!this.#isClosed && sendFrame(frame) === true) full ??= createDeferred()
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
      // The script host has another link, too.
      setRoom()
    }

    receive(receiver: LinkReceiver): void {
      this.#receiver = receiver
    }

    /** A client takes all that arrives. */
    pause(): void {}
    resume(): void {}

    close(): void {
      this.#isClosed = true
      if (current === this) closeHost()
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

  return {
    create: () => new VmLink(),
    setRoom,
    receive: (body, kind = FRAME_KIND.json) => current?.deliver(body, kind),
    closed: () => current?.closed(),
  }
}
