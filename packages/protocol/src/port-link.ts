// A link over a MessagePort: one `postMessage` a frame. What comes in is an ArrayBuffer with a frame in it, or a fault: a
// port deserializes whatever the other side posts, so nothing richer is let in.
import type { MessagePort } from 'node:worker_threads'
import { BusError } from './error.js'
import { readFrame, writeFrame, type Frame } from './frame.js'
import type { Link, LinkReceiver } from './link.js'

export function createPortLink(port: MessagePort): Link {
  let open = true
  let ended = false
  let receiver: LinkReceiver | undefined

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

  // Heard even where nothing is received yet: a port tells of its end once.
  port.on('close', () => end())

  return {
    send(frame: Frame): void {
      if (!open) return
      const bytes = writeFrame(frame)
      port.postMessage(bytes, [bytes])
    },
    receive(given: LinkReceiver): void {
      receiver = given
      if (ended) return queueMicrotask(() => given.closed())
      port.on('message', (data: unknown) => {
        // A port still delivers what had arrived before it was closed.
        if (!open) return
        const frame = data instanceof ArrayBuffer ? readFrame(new Uint8Array(data)) : undefined
        if (frame) given.frame(frame)
        else end(new BusError('InvalidRequest', 'The peer sent something that is no frame'))
      })
      port.on('messageerror', () => end(new BusError('InvalidRequest', 'The peer sent an unreadable message')))
    },
    close,
  }
}
