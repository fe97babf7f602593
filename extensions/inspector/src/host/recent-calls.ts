// The latest calls. Of those that core makes in a second, it reports a part.
import { type CallRecord, type CallReport, type CommandStats, MAX_NAME_LENGTH } from '../contract/call-report.js'
import type { CallView } from '../contract/views.js'
import { getRunLabel } from './run-failures.js'
import { dropOldest, toPrintable } from './texts.js'

const MAX_CALLS = 50
const MAX_CALLERS = 200
/** More equal ones among the latest calls are one row. */
const MAX_EQUAL = 10
const LOST = 'Disconnected'

export class RecentCalls {
  /** By caller, those of the host by what it calls: one that floods displaces only its own. The last one has called last. */
  readonly #callers = new Map<string, Map<string, CallView>>()
  /** Why the latest run of a label has failed, of which core has not reported the end. */
  readonly #reasons = new Map<string, string>()
  /** The latest failed run of a label, of which the host has not said why. */
  readonly #unexplained = new Map<string, string>()
  #since = 0
  version = 1

  add({ since, calls }: CallReport): void {
    if (since !== this.#since) this.#loseRunning()
    this.#since = since
    for (const call of calls) {
      const [command, label] = [toPrintable(call.command, MAX_NAME_LENGTH), toPrintable(call.label, MAX_NAME_LENGTH)]
      const caller = getCaller(label, command)
      const own = this.#callers.get(caller) ?? new Map<string, CallView>()
      this.#callers.delete(caller)
      this.#callers.set(caller, own)
      // A core that restarts counts from 1 again.
      const id = `${since}:${call.id}`
      // A report has those of the one before, too.
      const known = own.get(id)
      if (known && (known.outcome !== undefined || call.outcome === undefined)) continue
      own.set(id, { ...call, id, command, label, ...(label === 'host' && this.#explain(id, call)) })
      dropOldest(own, MAX_CALLS)
      this.version += 1
    }
    dropOldest(this.#callers, MAX_CALLERS)
  }

  /** Says why a run has failed, as its caller knows it. */
  explainRun(label: string, reason: string): void {
    const calls = this.#callers.get(getCaller('host', `bus.call ${label} bus.run`))
    const call = calls?.get(this.#unexplained.get(label) ?? '')
    this.#unexplained.delete(label)
    if (!call) {
      this.#reasons.set(label, reason)
      return dropOldest(this.#reasons, MAX_CALLERS)
    }
    call.outcome = reason
    this.version += 1
  }

  #explain(id: string, { command, outcome = 'ok' }: CallRecord): Pick<CallView, 'outcome'> {
    const run = getRunLabel(command)
    if (run === undefined || outcome === 'ok') return {}
    const reason = this.#reasons.get(run)
    this.#reasons.delete(run)
    if (reason !== undefined) return { outcome: reason }
    this.#unexplained.set(run, id)
    dropOldest(this.#unexplained, MAX_CALLERS)
    return {}
  }

  /**
   * Returns the latest calls first, many equal ones as one.
   *
   * @param commands - the counts of all calls
   * @param label - leaves out the calls of others, but not those of the host to this frontend
   */
  getLatest(commands: readonly CommandStats[], label?: string): CallView[] {
    const matches = (call: CallView): boolean =>
      label === undefined || call.label === label || call.command.startsWith(`bus.call ${label} `)
    const callers = [...this.#callers.values()].toReversed()
    const all = callers.flatMap(own => [...own.values()].toReversed()).filter(matches)
    const latest = all.toSorted((a, b) => b.at - a.at)
    const counts = new Map<string, number>()
    for (const call of latest) counts.set(getEqual(call), (counts.get(getEqual(call)) ?? 0) + 1)
    const rows: CallView[] = []
    for (const call of latest) {
      const key = getEqual(call)
      const count = counts.get(key)
      if (count === undefined) continue
      if (label !== undefined || count <= MAX_EQUAL) rows.push(call)
      else {
        counts.delete(key)
        rows.push({ ...call, id: key, count: Math.max(count, countCalls(call, commands)) })
      }
      if (rows.length === MAX_CALLS) break
    }
    return rows
  }

  #loseRunning(): void {
    for (const own of this.#callers.values()) {
      for (const call of own.values()) {
        if (call.outcome !== undefined) continue
        call.outcome = LOST
        this.version += 1
      }
    }
  }
}

const getCaller = (label: string, command: string): string => (label === 'host' ? `${label} ${command}` : label)

const getEqual = ({ label, command, outcome }: CallView): string => JSON.stringify([label, command, outcome])

/** Of those calls, only a part is recorded. */
function countCalls({ label, command, outcome }: CallView, commands: readonly CommandStats[]): number {
  const caller = commands.find(each => each.command === command)?.callers.find(each => each.label === label)
  const { calls = 0, failures = {}, inFlight = 0 } = caller ?? {}
  if (outcome === undefined) return inFlight
  if (outcome !== 'ok') return failures[outcome] ?? 0
  return calls - inFlight - Object.values(failures).reduce((sum, each) => sum + each, 0)
}
