// Isolation as a link made of two: what the client sends goes to the gate, what the gate sealed goes on to core, and
// what the gate answers itself (a rejection) comes back. Core's answers come straight from core.
import { FRAME_KIND, type BusError, type Frame, type Link, type LinkReceiver } from '@sallyport/protocol'

export function throughGate(core: Link, gate: Link): Link {
  return {
    send: (frame: Frame) => gate.send(frame),
    receive(receiver: LinkReceiver): void {
      let closed = false
      const end = (fault?: BusError): void => {
        if (closed) return
        closed = true
        core.close()
        gate.close()
        receiver.closed(fault)
      }
      core.receive({ frame: frame => receiver.frame(frame), closed: end })
      gate.receive({
        frame: frame => (frame.kind === FRAME_KIND.sealed ? core.send(frame) : receiver.frame(frame)),
        closed: end,
      })
    },
    close(): void {
      core.close()
      gate.close()
    },
  }
}
