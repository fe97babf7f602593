// A link whose own statements are checked with each use.
import type { BusError } from '@sallyport/protocol/internal/errors'
import type { Link } from '@sallyport/protocol/internal/wire'
import type { Simulation } from '../simulation.js'

export function watchLink(link: Link, simulation: Simulation, closed: (fault?: BusError) => void): Link {
  const check = (): void => {
    if (!(link.queued >= 0)) simulation.fault(`a link has ${link.queued} bytes queued`)
  }
  let isOver = false
  return {
    get frameMessages() {
      return link.frameMessages
    },
    send(frame) {
      link.send(frame)
      check()
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
          check()
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
