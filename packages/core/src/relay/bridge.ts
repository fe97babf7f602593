// Joins two links: what one brings the other sends on, no faster than it can. Where one ends, both do.
import type { BusError, Link } from '@sallyport/protocol'

/** Resolves once both have closed, with a fault of the far one's: that peer is not trusted. */
export async function bridge(near: Link, far: Link): Promise<BusError | undefined> {
  const [, fault] = await Promise.all([pass(near, far), pass(far, near)])
  return fault
}

const pass = (from: Link, to: Link): Promise<BusError | undefined> =>
  new Promise(resolve => {
    from.receive({
      frame(frame) {
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
