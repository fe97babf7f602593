// The gates of a simulated bus by label: each in its own place, with one hook for all of its links.
import { RECORD_DIRECTION, type SessionKey } from '@sallyport/protocol/internal/contract'
import { openLink, type LinkEndpoint } from '@sallyport/protocol/internal/link'
import { SamplingTimer } from '@sallyport/protocol/internal/util'
import { createSealer } from '@sallyport/protocol/internal/records'
import { serveGate } from '../../../isolation/src/gate/gate.js'
import { createHookWatch } from '../../../isolation/src/hook/hook-watch.js'
import { createHook, type Hook } from '../../../isolation/src/hook/hook.js'
import { HOOK_DEADLINE, createJudge } from './hook.js'
import { Place } from './virtual/place.js'
import type { World } from './world.js'

export interface Gate {
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

  /** Returns the gate of a label. Starts it if necessary. */
  start(label: string): Gate {
    const running = this.#gates.get(label)
    if (running && !running.place.dead) return running
    const judge = createJudge(this.#world, () => this.#world.crashGate(label))
    const gate = { place: new Place(`gate of ${label}`), hook: createHook(judge, { deadline: HOOK_DEADLINE }) }
    this.#gates.set(label, gate)
    return gate
  }

  /** Hands over a link from the frontend to core. */
  link({ place, hook }: Gate, end: LinkEndpoint, key: SessionKey): void {
    serveGate({
      link: openLink(end, false),
      sealer: createSealer({ ...key, direction: RECORD_DIRECTION }),
      hook,
      hookTimer: new SamplingTimer(),
      sealTimer: new SamplingTimer(),
      watch: createHookWatch(undefined),
      rejected: () => {},
      closed: fault => fault && this.#world.fault(place.name, fault),
    })
  }
}
