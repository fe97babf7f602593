// Endless calls, each with an id of its own, and a report of their outcomes.
import { isBusError } from '@sallyport/protocol/internal/errors'
import { setTimeout as delay } from 'node:timers/promises'

/** Tolerance for a call that settles after its deadline, measured with the timers of the same process. */
const TOLERANCE_MS = 1000
/** Pause after a call that failed. */
const PAUSE_MS = 10

export class Load {
  #isRunning = true
  #loops
  #count = 0
  #report = {
    sent: 0,
    pending: 0,
    answered: [],
    instances: {},
    failures: {},
    undelivered: [],
    unknown: [],
    wrong: [],
    late: [],
  }

  /**
   * @param invoke - `invoke` of a client
   * @param options.ms - duration of a call. With 0, the load takes all CPU time that it gets
   */
  constructor(name, invoke, { parallel = 4, timeout = 30_000, ms = 10, size = 0 } = {}) {
    this.#loops = Array.from({ length: parallel }, async () => {
      while (this.#isRunning) await this.#call(`${name}-${++this.#count}`, { invoke, timeout, ms, size })
    })
  }

  /** Number of answered calls. */
  get answered() {
    return this.#report.answered.length
  }

  get report() {
    return this.#report
  }

  /** Resolves once each call has settled. */
  async stop() {
    this.#isRunning = false
    await Promise.all(this.#loops)
    return this.#report
  }

  async #call(id, { invoke, timeout, ms, size }) {
    const report = this.#report
    report.sent += 1
    report.pending += 1
    const late = setTimeout(() => report.late.push(id), timeout + TOLERANCE_MS)
    try {
      const answer = await invoke('work', { id, ms, size }, { timeout }).finally(() => clearTimeout(late))
      if (answer.id !== id || answer.filler.length !== size) report.wrong.push(`${id} was answered ${answer.id}`)
      report.answered.push(id)
      report.instances[answer.instance] = (report.instances[answer.instance] ?? 0) + 1
    } catch (error) {
      if (!isBusError(error)) report.wrong.push(`${id} failed with ${String(error)}`)
      const { reason, data } = error
      report.failures[reason] = (report.failures[reason] ?? 0) + 1
      ;(data?.delivered === 'no' ? report.undelivered : report.unknown).push(id)
      await delay(PAUSE_MS)
    } finally {
      report.pending -= 1
    }
  }
}
