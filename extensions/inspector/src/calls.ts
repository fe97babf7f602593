// Counts calls in core's thread by caller and command, records a sample of single calls, and shares the name of the call that runs now.
// A core without an open inspector has no `CallWatch`.
import type { WatchedCall } from '@sallyport/core/internal'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { isBytes } from '@sallyport/protocol/internal/message'
import type { Outcome } from '@sallyport/protocol/internal/rpc'
import { isThenable, MAX_DURATION_NS } from '@sallyport/protocol/internal/util'
import {
  type CallerStats,
  type CallRecord,
  type CallReport,
  type CommandStats,
  CurrentCall,
  MAX_NAME_LENGTH,
} from './contract/call-report.js'

const MAX_COMMANDS = 200
const MAX_CALLERS = 1000
/** Pairs of caller and command that are counted. Others are counted together. */
const MAX_ROWS = 10_000
const MAX_LABELS = 2000
/** Calls of each caller that are recorded from one report to the next. Reading the clock for each call would cost a tenth of a small one. */
const MAX_OWN_RECORDS = 5
/** Further ones, of any caller. One that floods takes them all. */
const MAX_SHARED_RECORDS = 45
const MAX_RECORDS = 500
const OTHERS = '(others)'
/** Values that are looked at in one value: what they are worth, beside text and bytes, is a rough guess anyway. */
const MAX_NODES = 1000

type Row = Omit<CallerStats, 'inFlight'> & { command: string; name: number }
type Timed = CallRecord & { startedAt: number }

/** How many calls of a caller are recorded in any case before the next report. */
interface CallerRecords {
  report: number
  left: number
}

export class CallWatch {
  readonly current: CurrentCall = new CurrentCall()
  readonly #since = Date.now()
  readonly #callers = new Map<string, CallerWatch>()
  readonly #latencies = new Map<string, RecordableHistogram>()
  #rows = 0
  #lastId = 0
  #budget = MAX_SHARED_RECORDS
  #report = 0
  #records = new Set<Timed>()
  #previous: readonly Timed[] = []
  #firstSeen = new Map<object, number>()

  getCaller(label: string): CallerWatch {
    const name = this.#callers.has(label) || this.#callers.size < MAX_LABELS ? label : OTHERS
    let caller = this.#callers.get(name)
    if (!caller) this.#callers.set(name, (caller = new CallerWatch(name, this)))
    return caller
  }

  /** @param command - a registered one */
  addDuration(command: string, nanoseconds: number): void {
    let latency = this.#latencies.get(command)
    if (!latency) {
      if (this.#latencies.size === MAX_ROWS) return
      this.#latencies.set(command, (latency = createHistogram({ lowest: 64, highest: MAX_DURATION_NS, figures: 1 })))
    }
    latency.record(nanoseconds)
  }

  /** @internal Returns a row for a caller, or `undefined` if there are too many. */
  createRow(label: string, command: string): Row | undefined {
    if (command !== OTHERS && this.#rows === MAX_ROWS) return undefined
    this.#rows += 1
    return { label, command, calls: 0, failures: {}, name: this.current.addName(label, command) }
  }

  /** @internal Returns a record to pass to `end`, unless enough calls were recorded since the last report. */
  begin(caller: CallerRecords, label: string, command: string, args: unknown): Timed | undefined {
    if (!this.#mayRecord(caller)) return undefined
    const name = command.slice(0, MAX_NAME_LENGTH)
    const size = estimateSize(args)
    const record = { id: ++this.#lastId, label, command: name, size, at: Date.now(), startedAt: performance.now() }
    this.#records.add(record)
    return record
  }

  #mayRecord(caller: CallerRecords): boolean {
    if (caller.report !== this.#report) {
      caller.report = this.#report
      caller.left = MAX_OWN_RECORDS
    }
    if (caller.left > 0 && this.#records.size < MAX_RECORDS) return caller.left-- > 0
    return this.#budget > 0 && this.#budget-- > 0
  }

  /** @internal */
  end(record: Timed, error: BusError | undefined): void {
    record.ms = performance.now() - record.startedAt
    record.outcome = error?.reason ?? 'ok'
    this.#records.add(record)
  }

  /** Returns the counts, and the calls since the report before the previous one, which others can have asked for. */
  report(running: Iterable<WatchedCall>): CallReport {
    const latest = [...this.#records]
    const calls = [...new Set([...this.#previous, ...latest])].map(({ startedAt: _startedAt, ...record }) => record)
    this.#previous = latest
    this.#records.clear()
    this.#budget = MAX_SHARED_RECORDS
    this.#report += 1
    return { since: this.#since, commands: this.#getCommands(running), calls, current: this.current.memory }
  }

  #getCommands(running: Iterable<WatchedCall>): CommandStats[] {
    const stats = new Map<string, CommandStats & { callers: CallerStats[] }>()
    const get = (command: string) => {
      let found = stats.get(command)
      if (found) return found
      const latency = this.#latencies.get(command)
      const p99 = latency ? latency.percentile(99) / 1000 : 0
      found = { command, calls: 0, failures: {}, p99, inFlight: 0, callers: [], moreCallers: 0 }
      stats.set(command, found)
      return found
    }
    const inFlight = new Map<string, number>()
    const [now, firstSeen] = [performance.now(), new Map<object, number>()]
    for (const { call, command, label, isLongLived } of running) {
      const [total, key] = [get(command), JSON.stringify([label, command])]
      total.inFlight += 1
      inFlight.set(key, (inFlight.get(key) ?? 0) + 1)
      if (call.abortReason || isLongLived) continue
      const since = this.#firstSeen.get(call) ?? now
      firstSeen.set(call, since)
      const ms = Math.round(now - since)
      if (!total.oldest || ms > total.oldest.ms) total.oldest = { label, ms }
    }
    this.#firstSeen = firstSeen
    for (const caller of this.#callers.values()) {
      for (const { label, command, calls, failures } of caller.rows) {
        const total = get(command)
        total.calls += calls
        for (const [reason, times] of Object.entries(failures)) {
          total.failures[reason] = (total.failures[reason] ?? 0) + times
        }
        const key = JSON.stringify([label, command])
        total.callers.push({ label, calls, failures, inFlight: inFlight.get(key) ?? 0 })
      }
    }
    const shown = [...stats.values()]
      .toSorted((a, b) => b.inFlight - a.inFlight || b.calls - a.calls)
      .slice(0, MAX_COMMANDS)
    let left = MAX_CALLERS
    for (const command of shown) {
      const callers = command.callers.toSorted((a, b) => b.calls - a.calls).slice(0, left)
      command.moreCallers = command.callers.length - callers.length
      command.callers = callers
      left -= callers.length
    }
    return shown
  }
}

class CallerWatch {
  readonly #label: string
  readonly #watch: CallWatch
  readonly #rows = new Map<string, Row>()
  readonly #recorded = new WeakMap<object, Timed>()
  readonly #records: CallerRecords = { report: -1, left: 0 }

  constructor(label: string, watch: CallWatch) {
    this.#label = label
    this.#watch = watch
  }

  get rows(): Iterable<Row> {
    return this.#rows.values()
  }

  /**
   * Counts a call, and runs it.
   *
   * @param message - identifies the call for `addAnswer`
   * @param args - of which only the size is recorded
   * @param isKnown - false for a command that is not registered: names that callers choose are not bounded
   */
  run(
    message: object,
    command: string,
    args: unknown,
    isKnown: (command: string) => boolean,
    run: () => Outcome | Promise<Outcome>,
  ): void {
    const row = this.#rows.get(command) ?? this.#add(isKnown(command) ? command : OTHERS)
    row.calls += 1
    const { current } = this.#watch
    current.enter(row.name)
    const record = this.#watch.begin(this.#records, this.#label, command, args)
    if (record) this.#recorded.set(message, record)
    const outcome = run()
    current.leave()
    if (!record) return
    if (!isThenable(outcome)) return this.#watch.end(record, outcome)
    void (outcome as Promise<Outcome>).then(error => this.#watch.end(record, error))
  }

  addAnswer(message: object, result: unknown): void {
    const record = this.#recorded.get(message)
    if (!record) return
    try {
      record.answerSize = estimateSize(result)
    } catch {
      // A getter or a proxy throws: the answer is an error.
    }
  }

  addFailure(command: string, reason: string): void {
    const { failures } = this.#rows.get(command) ?? this.#add(OTHERS)
    failures[reason] = (failures[reason] ?? 0) + 1
  }

  addDuration(command: string, nanoseconds: number): void {
    this.#watch.addDuration(command, nanoseconds)
  }

  #add(command: string): Row {
    const found = this.#rows.get(command)
    if (found) return found
    const row = this.#watch.createRow(this.#label, command)
    if (!row) return this.#add(OTHERS)
    this.#rows.set(command, row)
    return row
  }
}

/** Returns roughly how many bytes a value has, without encoding it. Throws what a getter of it throws. */
function estimateSize(value: unknown): number {
  let size = 0
  const nodes = [value]
  for (let index = 0; index < nodes.length && index < MAX_NODES; index++) {
    const node = nodes[index]
    if (typeof node === 'string') size += node.length
    else if (isBytes(node)) size += node.byteLength
    else if (typeof node === 'object' && node !== null) {
      const members: unknown[] = Array.isArray(node) ? node : Object.values(node)
      size += 8 * members.length
      for (let member = 0; member < members.length && nodes.length < MAX_NODES; member++) nodes.push(members[member])
    }
  }
  return size
}
