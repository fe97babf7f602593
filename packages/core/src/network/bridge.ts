// Joins two links: what one brings the other sends on, no faster than it can. Where one ends, both do.
import {
  BusError,
  FRAME_KIND,
  type Link,
  MAX_ATTACHED_BYTES,
  MIN_ATTACHMENT_BYTES,
  type ReceivedFrame,
} from '@sallyport/protocol'

/** How two links have ended: which of them first, and what each of them brought that was no frame. */
export interface BridgeEnd {
  first: 'near' | 'far'
  near: BusError | undefined
  far: BusError | undefined
}

/**
 * Resolves once both have closed.
 *
 * @param nearFirst is called where the near one closes first: it closes the far one, then or later
 */
export async function bridge(
  near: Link,
  far: Link,
  nearFirst: (fault: BusError | undefined) => void = () => far.close(),
): Promise<BridgeEnd> {
  let first: BridgeEnd['first'] | undefined
  const up = pass(near, far, fault => {
    if (first) return far.close()
    first = 'near'
    nearFirst(fault)
  })
  const down = pass(far, near, () => {
    first ??= 'far'
    near.close()
  })
  const faults = await Promise.all([up, down])
  return { first: first!, near: faults[0], far: faults[1] }
}

const pass = (from: Link, to: Link, ended: (fault: BusError | undefined) => void): Promise<BusError | undefined> =>
  new Promise(resolve => {
    const bounded = boundAttachments()
    let over = false
    const end = (fault: BusError | undefined): void => {
      if (over) return
      over = true
      ended(fault)
      resolve(fault)
    }
    from.receive({
      frame(frame) {
        if (!bounded(frame)) {
          from.close()
          return end(new BusError('InvalidRequest', 'The peer sent more attachments than a message has'))
        }
        to.send(frame)
        const room = to.room()
        if (!room) return
        from.pause()
        void room.then(() => from.resume())
      },
      closed: end,
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
