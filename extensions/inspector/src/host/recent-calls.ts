// The latest calls of a core, as far as it recorded them.
import { type CallReport, MAX_NAME_LENGTH } from '../contract/call-report.js'
import type { CallView } from '../contract/views.js'
import { toPrintable } from './printable.js'

const MAX_SHOWN = 50
const MAX_KEPT = 1000
/** Outcome of calls that ran when core stopped. */
const LOST = 'Disconnected'

export class RecentCalls {
  readonly #calls = new Map<string, CallView>()
  #since = 0
  /** Changes with each call that begins or ends. */
  version = 1

  add({ since, calls }: CallReport): void {
    if (since !== this.#since) this.#loseRunning()
    this.#since = since
    for (const call of calls) {
      const { id, label, command } = call
      // A core that restarts counts from 1 again.
      const key = `${since}:${id}`
      const [name, caller] = [toPrintable(command, MAX_NAME_LENGTH), toPrintable(label, MAX_NAME_LENGTH)]
      this.#calls.set(key, { ...call, id: key, command: name, label: caller })
    }
    while (this.#calls.size > MAX_KEPT) this.#calls.delete(this.#calls.keys().next().value!)
    if (calls.length > 0) this.version += 1
  }

  /** Returns the latest calls first. @param label - leaves out the calls of others, but not those of the host to this frontend */
  getLatest(label?: string): CallView[] {
    const matches = (call: CallView): boolean =>
      label === undefined || call.label === label || call.command.startsWith(`bus.call ${label} `)
    return [...this.#calls.values()].filter(matches).slice(-MAX_SHOWN).toReversed()
  }

  #loseRunning(): void {
    for (const call of this.#calls.values()) {
      if (call.outcome !== undefined) continue
      call.outcome = LOST
      this.version += 1
    }
  }
}
