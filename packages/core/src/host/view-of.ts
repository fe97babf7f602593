// The bus as its inspector sees it: nothing of this changes what anybody else sees.
import type { BusParts } from './bus.js'
import { explainNow } from './capability-changes.js'
import type { BusView } from './inspector/view.js'
import { readStats } from './read-stats.js'
import { supervisorMachine } from './supervisor.js'
import { threadMachine } from './thread-machine.js'

export function viewOf(parts: BusParts, since: number): BusView {
  const { core, supervisor, events } = parts
  return {
    get state() {
      return supervisor.state
    },
    get stats() {
      return readStats(parts, since, false)
    },
    get sights() {
      return supervisor.sights()
    },
    machines: { bus: supervisorMachine, thread: threadMachine },
    measure: async () => (await core.measure()) !== undefined,
    on(name, handler) {
      events.on(name, handler)
      return () => void events.off(name, handler)
    },
    explain: label => explainNow(core, label),
  }
}
