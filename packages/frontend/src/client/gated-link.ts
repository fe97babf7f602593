// Joins the links to a gate and to core into one. The client's frames go to the gate, the gate's records go on to core, and the gate's
// rejections go back to the client. Core's frames come directly from core. While core has no room for records, the gate is paused.
import { type BusError, type Frame, FRAME_KIND, type Link, type LinkReceiver } from '@sallyport/protocol'

/** Time in which a gate must forward the messages that it holds when its frontend closes. */
const CLOSE_TIMEOUT_MS = 500

export function throughGate(core: Link, gate: Link): Link {
  let isClosing = false
  let isPaused = false
  /** Core has no room for the gate's records. */
  let isFull = false

  function closeBoth(): void {
    core.close()
    gate.close()
  }

  function forward(record: Frame): void {
    core.send(record)
    const room = core.room()
    if (!room || isFull) return
    isFull = true
    gate.pause()
    void room.then(() => {
      isFull = false
      if (!isPaused) gate.resume()
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
      isPaused = true
      core.pause()
      gate.pause()
    },
    resume(): void {
      isPaused = false
      core.resume()
      if (!isFull) gate.resume()
    },
    receive(receiver: LinkReceiver): void {
      let isClosed = false
      const end = (fault?: BusError): void => {
        if (isClosed) return
        isClosed = true
        closeBoth()
        receiver.closed(fault)
      }
      const deliver: LinkReceiver['frame'] = frame => {
        if (!isClosing) receiver.frame(frame)
      }
      core.receive({ frame: deliver, closed: end })
      gate.receive({
        frame(frame) {
          if (frame.kind === FRAME_KIND.sealed) forward(frame)
          else if (frame.kind === FRAME_KIND.end) closeBoth()
          else deliver(frame)
        },
        closed: end,
      })
    },
    close(): void {
      if (isClosing) return
      isClosing = true
      // Messages in the gate still go to core: the gate responds once it has forwarded them.
      gate.send({ kind: FRAME_KIND.end, body: '' })
      setTimeout(closeBoth, CLOSE_TIMEOUT_MS).unref()
    },
  }
}
