// Joins two links: each sends on what the other receives, no faster than it can. When one closes, so does the other.
import type { Duplex } from 'node:stream'
import { BusError } from '../errors/bus-error.js'
import { MAX_ATTACHED_BYTES, MIN_ATTACHMENT_BYTES } from '../wire/limits.js'
import type { Frame, Link } from '../wire/link.js'
import { FRAME_KIND } from '../wire/messages.js'

/** Which link closed first, and the protocol violation on the far one, if there was one. */
export interface BridgeEnd {
  first: 'near' | 'far'
  far: BusError | undefined
}

/** Resolves once both links have closed. @param nearClosed is called if the near link closes first. It has to close the far link, then or later */
export async function bridge(
  near: Link,
  far: Link,
  nearClosed: (fault: BusError | undefined) => void = () => far.close(),
): Promise<BridgeEnd> {
  let first: BridgeEnd['first'] | undefined
  const up = forward(near, far, fault => {
    if (first) return far.close()
    first = 'near'
    nearClosed(fault)
  })
  const down = forward(far, near, () => {
    first ??= 'far'
    near.close()
  })
  const [, fault] = await Promise.all([up, down])
  return { first: first!, far: fault }
}

/** Forwards frames until `from` closes. Resolves with the violation that closed it, if there was one. */
const forward = (from: Link, to: Link, closed: (fault: BusError | undefined) => void): Promise<BusError | undefined> =>
  new Promise(resolve => {
    // A link holds attachments, uncounted, until their message arrives. A peer that never sends one must not fill its memory.
    let heldBytes = 0
    let isOver = false
    const end = (fault: BusError | undefined): void => {
      if (isOver) return
      isOver = true
      closed(fault)
      resolve(fault)
    }
    from.receive({
      forwards: true,
      isShared: true,
      frame(frame: Frame) {
        const { kind, body } = frame
        heldBytes = kind === FRAME_KIND.bytes ? heldBytes + Math.max(body.length, MIN_ATTACHMENT_BYTES) : 0
        if (heldBytes > MAX_ATTACHED_BYTES) {
          from.close()
          return end(new BusError('InvalidRequest', 'The peer sent more attachments than a message can have'))
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

/** Returns a stream of the bytes that the frames of a link contain, for protocols that are not of messages. It ends with the link, whose back-pressure it has. */
export function toStream(link: Link): Duplex {
  // Most threads need no stream.
  const { Duplex } = process.getBuiltinModule('node:stream')
  const stream = new Duplex({
    read: () => link.resume(),
    write(body: Buffer, _encoding, done) {
      link.send({ kind: FRAME_KIND.bytes, body, borrowed: true })
      const room = link.room()
      if (room) void room.then(() => done())
      else done()
    },
    final(done) {
      link.close()
      done()
    },
    destroy(error, done) {
      link.close()
      done(error)
    },
  })
  link.receive({
    frame({ body }) {
      if (!stream.push(body)) link.pause()
    },
    closed(fault) {
      if (fault) stream.destroy(fault)
      else stream.push(null)
    },
  })
  return stream
}
