// Joins two links: what one brings the other sends on, no faster than it can. Where one ends, both do.
import {
  BusError,
  FRAME_KIND,
  MAX_ATTACHED_BYTES,
  MIN_ATTACHMENT_BYTES,
  type Link,
  type ReceivedFrame,
} from '@sallyport/protocol'

/** How two links have ended: which of them first, and what each of them brought that was no frame. */
export interface BridgeEnd {
  first: 'near' | 'far'
  near: BusError | undefined
  far: BusError | undefined
}

/** Resolves once both have closed. */
export async function bridge(near: Link, far: Link): Promise<BridgeEnd> {
  const ways = { near: pass(near, far), far: pass(far, near) }
  const first = await Promise.race([ways.near.then(() => 'near' as const), ways.far.then(() => 'far' as const)])
  return { first, near: await ways.near, far: await ways.far }
}

const pass = (from: Link, to: Link): Promise<BusError | undefined> =>
  new Promise(resolve => {
    const bounded = boundAttachments()
    from.receive({
      frame(frame) {
        if (!bounded(frame)) {
          resolve(new BusError('InvalidRequest', 'The peer sent more attachments than a message has'))
          from.close()
          to.close()
          return
        }
        to.send(frame)
        const room = to.room()
        if (!room) return
        from.pause()
        void room.then(() => from.resume())
      },
      closed(fault) {
        to.close()
        resolve(fault)
      },
    })
  })

/** A link holds attachments until their message comes, and does not count them: a peer that never sends one would fill it. */
function boundAttachments(): (frame: ReceivedFrame) => boolean {
  let held = 0
  return ({ kind, body }) => {
    held = kind === FRAME_KIND.bytes ? held + Math.max(body.length, MIN_ATTACHMENT_BYTES) : 0
    return held <= MAX_ATTACHED_BYTES
  }
}
