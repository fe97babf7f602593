// A link over a MessagePort: one `postMessage` a frame. What comes in is an ArrayBuffer with a frame in it, or a fault: a
// port deserializes whatever the other side posts, so nothing richer is let in. An attachment is the number of its kind
// and then its bytes alone, which so need no copy. What belongs together is posted as a list: one post wakes once.
import type { MessagePort } from 'node:worker_threads'
import { MAX_ATTACHED_BYTES, MIN_ATTACHMENT_BYTES } from './bounds.js'
import { BusError } from './error.js'
import { FRAME_KIND, isAlone, readFrame, writeFrame, type Frame } from './frame.js'
import type { Link, LinkReceiver, ReceivedFrame } from './link.js'

/** As many attachments as a frame can have, a number before each, and the frame. */
const MAX_LIST: number = 2 * (MAX_ATTACHED_BYTES / MIN_ATTACHMENT_BYTES) + 1

export function createPortLink(port: MessagePort): Link {
  let open = true
  let ended = false
  let receiver: LinkReceiver | undefined
  /** What waits for the frame that it belongs to. */
  let held: (number | ArrayBuffer)[] = []
  /** The next ArrayBuffer is an attachment. */
  let attaching = false

  function close(): void {
    open = false
    port.close()
  }

  function end(fault?: BusError): void {
    if (ended) return
    ended = true
    close()
    receiver?.closed(fault)
  }

  function take(data: unknown, given: LinkReceiver): void {
    if (!Array.isArray(data)) return takeOne(data, given)
    if (data.length > MAX_LIST) return fault()
    for (let i = 0; i < data.length && open; i++) takeOne(data[i], given, i + 1 < data.length)
  }

  function takeOne(data: unknown, { frame }: LinkReceiver, more = false): void {
    if (data === FRAME_KIND.bytes && !attaching) {
      attaching = true
      return
    }
    const received = read(data)
    if (!received) return fault()
    if (more) received.more = true
    frame(received)
  }

  function read(data: unknown): ReceivedFrame | undefined {
    if (!(data instanceof ArrayBuffer)) return undefined
    const bytes = new Uint8Array(data)
    if (!attaching) {
      const frame = readFrame(bytes)
      return frame?.kind === FRAME_KIND.bytes ? undefined : frame
    }
    attaching = false
    return { kind: FRAME_KIND.bytes, body: bytes }
  }

  const fault = (): void => end(new BusError('InvalidRequest', 'The peer sent something that is no frame'))

  // Heard even where nothing is received yet: a port tells of its end once.
  port.on('close', () => end())

  return {
    send(frame: Frame): void {
      if (!open) return
      const { kind, body, more } = frame
      if (kind === FRAME_KIND.bytes && typeof body !== 'string') {
        held.push(kind, isAlone(body, 0) ? body.buffer : new Uint8Array(body).buffer)
        return
      }
      const bytes = writeFrame(frame)
      if (held.length === 0 && !more) return port.postMessage(bytes, [bytes])
      held.push(bytes)
      if (more) return
      const list = held
      held = []
      port.postMessage(
        list,
        list.filter(item => typeof item !== 'number'),
      )
    },
    receive(given: LinkReceiver): void {
      receiver = given
      if (ended) return queueMicrotask(() => given.closed())
      // A port still delivers what had arrived before it was closed.
      port.on('message', (data: unknown) => open && take(data, given))
      port.on('messageerror', () => end(new BusError('InvalidRequest', 'The peer sent an unreadable message')))
    },
    close,
  }
}
