// A link as a stream of bytes, for protocols that are not of messages.
import type { Duplex } from 'node:stream'
import { FRAME_KIND, type Link } from '../wire/link.js'

/** Returns a stream of what the frames of a link contain. It ends with the link, whose back-pressure it has. */
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
