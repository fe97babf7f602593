// A link over a MessagePort: one `postMessage` a frame. What comes in is an ArrayBuffer with a frame in it, or a fault: a
// port deserializes whatever the other side posts, so nothing richer is let in. Only an attachment takes two: the number
// of its kind, and then its bytes alone, so that nothing is written before them and they need no copy.
import type { MessagePort } from 'node:worker_threads'
import { BusError } from './error.js'
import { FRAME_KIND, isAlone, readFrame, writeFrame, type Frame } from './frame.js'
import type { Link, LinkReceiver, ReceivedFrame } from './link.js'

export function createPortLink(port: MessagePort): Link {
  let open = true
  let ended = false
  let receiver: LinkReceiver | undefined
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

  function postBytes(body: Uint8Array): void {
    const bytes = isAlone(body, 0) ? body.buffer : new Uint8Array(body).buffer
    port.postMessage(FRAME_KIND.bytes)
    port.postMessage(bytes, [bytes])
  }

  function read(data: unknown): ReceivedFrame | undefined {
    if (!(data instanceof ArrayBuffer)) return undefined
    if (attaching) {
      attaching = false
      return { kind: FRAME_KIND.bytes, body: new Uint8Array(data) }
    }
    const frame = readFrame(new Uint8Array(data))
    return frame?.kind === FRAME_KIND.bytes ? undefined : frame
  }

  function take(data: unknown, { frame }: LinkReceiver): void {
    if (data === FRAME_KIND.bytes && !attaching) {
      attaching = true
      return
    }
    const received = read(data)
    if (received) frame(received)
    else end(new BusError('InvalidRequest', 'The peer sent something that is no frame'))
  }

  // Heard even where nothing is received yet: a port tells of its end once.
  port.on('close', () => end())

  return {
    send(frame: Frame): void {
      if (!open) return
      if (frame.kind === FRAME_KIND.bytes && typeof frame.body !== 'string') return postBytes(frame.body)
      const bytes = writeFrame(frame)
      port.postMessage(bytes, [bytes])
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
