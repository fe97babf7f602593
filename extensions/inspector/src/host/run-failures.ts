// Why runs have failed, as the callers of `bus.run` know it. To core, the code of each has disconnected.
import type { CommandStats } from '../contract/call-report.js'
import { dropOldest } from './texts.js'

const MAX_LABELS = 1000
const RUN_CALL = /^bus\.call (\S+) bus\.run$/

/** The label of the run that is a call of the host; `undefined` for another call. */
export const getRunLabel = (command: string): string | undefined => RUN_CALL.exec(command)?.[1]

export class RunFailures {
  /** By label, since core began to count. */
  readonly #reasons = new Map<string, string[]>()
  #since = 0

  add(label: string, reason: string): void {
    const reasons = this.#reasons.get(label) ?? []
    this.#reasons.delete(label)
    this.#reasons.set(label, [...reasons, reason].slice(-MAX_LABELS))
    dropOldest(this.#reasons, MAX_LABELS)
  }

  /**
   * Returns the counts of commands with the reasons of runs in the place of core's.
   *
   * @param since - when core began to count
   */
  explain(since: number, commands: readonly CommandStats[]): CommandStats[] {
    // Another core has counted none of them.
    if (since !== this.#since && this.#since !== 0) this.#reasons.clear()
    this.#since = since
    return commands.map(stats => {
      const label = getRunLabel(stats.command)
      if (label === undefined) return stats
      const failures: Record<string, number> = {}
      for (const reason of this.#reasons.get(label) ?? []) failures[reason] = (failures[reason] ?? 0) + 1
      return { ...stats, failures, callers: stats.callers.map(caller => ({ ...caller, failures })) }
    })
  }
}
