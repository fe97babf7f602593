// A link that is looked at as it is used: what it says of itself must hold at each moment.
import type { BusError, Link } from '@sallyport/protocol'
import type { Simulation } from './simulation.js'

export function watchLink(link: Link, simulation: Simulation, closed: (fault?: BusError) => void): Link {
  const look = (): void => {
    if (!(link.queued >= 0)) simulation.fault(`a link has ${link.queued} bytes queued`)
  }
  let isOver = false
  return {
    ...(link.isolated && { isolated: true }),
    get frameMessages() {
      return link.frameMessages
    },
    send(frame) {
      link.send(frame)
      look()
    },
    get queued() {
      return link.queued
    },
    room: () => link.room(),
    pause: () => link.pause(),
    resume: () => link.resume(),
    close: () => link.close(),
    receive(receiver) {
      link.receive({
        frame(frame) {
          look()
          if (isOver) simulation.fault('a link delivers a frame after its end')
          receiver.frame(frame)
        },
        closed(fault) {
          if (isOver) simulation.fault('a link ends twice')
          isOver = true
          closed(fault)
          receiver.closed(fault)
        },
      })
    },
  }
}
