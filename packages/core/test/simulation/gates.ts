// The gates of a simulated bus by label: each in its own place, with one hook for all of its links.
import { RECORD_DIRECTION, openLink, type Link, type SessionKey } from '@sallyport/protocol'
import { createSealer } from '@sallyport/protocol/records'
import { serveGate } from '../../../isolation/src/gate/gate.js'
import { createHookWatch } from '../../../isolation/src/hook/watchdog.js'
import { createHook, type Hook } from '../../../isolation/src/hook/hook.js'
import type { Frontend } from './frontend.js'
import { HOOK_DEADLINE, createJudge } from './hook.js'
import { Place } from './place.js'
import { createPorts, getEnd } from './port.js'
import type { World } from './world.js'

interface Gate {
  readonly place: Place
  readonly hook: Hook
}

export class Gates {
  readonly #world: World
  readonly #gates = new Map<string, Gate>()

  constructor(world: World) {
    this.#world = world
  }

  get places(): Place[] {
    return [...this.#gates.values()].map(({ place }) => place)
  }

  getPlace(label: string): Place | undefined {
    return this.#gates.get(label)?.place
  }

  /** Opens a link to the gate of a label. Starts the gate if necessary. */
  link(frontend: Frontend, key: SessionKey): Link {
    let gate = this.#gates.get(frontend.label)
    if (!gate || gate.place.dead) {
      const place = new Place(`gate of ${frontend.label}`)
      const judge = createJudge(this.#world, () => this.#world.crashGate(frontend.label))
      gate = { place, hook: createHook(judge, { deadline: HOOK_DEADLINE }) }
      this.#gates.set(frontend.label, gate)
    }
    const { place, hook } = gate
    const [inside, outside] = createPorts(this.#world.simulation, place, frontend.place)
    frontend.ports.push(outside)
    serveGate({
      link: openLink(getEnd(inside), false),
      sealer: createSealer({ ...key, direction: RECORD_DIRECTION }),
      hook,
      watch: createHookWatch(undefined),
      rejected: () => {},
      closed: fault => fault && this.#world.fault(place.name, fault),
    })
    return openLink(getEnd(outside), true)
  }
}
