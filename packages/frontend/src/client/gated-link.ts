// Isolation as a link made of two: what the client sends goes to the gate, what the gate sealed goes on to core, and
// what the gate answers itself (a rejection) comes back. Core's answers come straight from core. Where core has no room for
// records, the gate waits, and so whoever sends to it.
import { type BusError, type Frame, FRAME_KIND, type Link, type LinkReceiver } from '@sallyport/protocol'

/** How long a gate may take, in milliseconds, to send on what it holds when its frontend closes. */
const PATIENCE = 500

export function throughGate(core: Link, gate: Link): Link {
  let closing = false
  let paused = false
  /** Core has no room for what the gate sends on. */
  let full = false

  function closeBoth(): void {
    core.close()
    gate.close()
  }

  function sendOn(record: Frame): void {
    core.send(record)
    const room = core.room()
    if (!room || full) return
    full = true
    gate.pause()
    void room.then(() => {
      full = false
      if (!paused) gate.resume()
    })
  }

  return {
    isolated: true,
    get frameMessages() {
      return gate.frameMessages
    },
    send: (frame: Frame) => gate.send(frame),
    get queued() {
      return gate.queued + core.queued
    },
    room: () => gate.room(),
    pause(): void {
      paused = true
      core.pause()
      gate.pause()
    },
    resume(): void {
      paused = false
      core.resume()
      if (!full) gate.resume()
    },
    receive(receiver: LinkReceiver): void {
      let closed = false
      const end = (fault?: BusError): void => {
        if (closed) return
        closed = true
        closeBoth()
        receiver.closed(fault)
      }
      const deliver: LinkReceiver['frame'] = frame => {
        if (!closing) receiver.frame(frame)
      }
      core.receive({ frame: deliver, closed: end })
      gate.receive({
        frame(frame) {
          if (frame.kind === FRAME_KIND.sealed) sendOn(frame)
          else if (frame.kind === FRAME_KIND.end) closeBoth()
          else deliver(frame)
        },
        closed: end,
      })
    },
    close(): void {
      if (closing) return
      closing = true
      // What is on its way through the gate still goes to core: the gate answers once it has sent it on.
      gate.send({ kind: FRAME_KIND.end, body: '' })
      setTimeout(closeBoth, PATIENCE).unref()
    },
  }
}
