// Statistics of the calls that the host makes of one frontend's functions, by function.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { isBusError } from '@sallyport/protocol/internal/errors'
import { MAX_DURATION_NS, SamplingTimer } from '@sallyport/protocol/internal/util'
import { MAX_NAME_LENGTH } from '../../shared/frontend-errors.js'
import { getLatency, type ServedStats } from './stats.js'

/** Functions of a frontend that have figures of their own. */
const MAX_FUNCTIONS = 50
/** All other functions, and names that the frontend does not expose. */
const OTHERS = '(others)'

class ServedFunction {
  calls = 0
  readonly failures: Record<string, number> = {}
  latency: RecordableHistogram | undefined
  /** 5 KB for each function of thousands of frontends: the precision of other latencies would take 30. */
  readonly timer: SamplingTimer = new SamplingTimer(
    () => (this.latency = createHistogram({ lowest: 64, highest: MAX_DURATION_NS, figures: 1 })),
  )
}

export class ServedCalls {
  readonly #functions = new Map<string, ServedFunction>()

  /** Begins a call. Returns what to call once it has ended, with its error. */
  begin(name: string): (error?: unknown) => void {
    const known = this.#functions.get(name)
    const startedAt = known ? known.timer.begin() : performance.now()
    return error => {
      // The caller chooses the name, and a frontend that does not know it bounds nothing.
      const served = known ?? this.#get(isBusError(error, 'MethodNotFound') ? OTHERS : name)
      served.calls += 1
      if (error === undefined) {
        if (startedAt !== 0) served.timer.end(startedAt)
        return
      }
      const reason = isBusError(error) ? error.reason : 'InternalError'
      served.failures[reason] = (served.failures[reason] ?? 0) + 1
    }
  }

  get stats(): Record<string, ServedStats> {
    return Object.fromEntries(
      Array.from(this.#functions, ([name, { calls, failures, latency }]) => [
        name,
        { calls, failures: { ...failures }, latency: getLatency(latency) },
      ]),
    )
  }

  #get(name: string): ServedFunction {
    const isKept = this.#functions.size < MAX_FUNCTIONS && name.length <= MAX_NAME_LENGTH
    const key = this.#functions.has(name) || isKept ? name : OTHERS
    const served = this.#functions.get(key) ?? new ServedFunction()
    this.#functions.set(key, served)
    return served
  }
}
