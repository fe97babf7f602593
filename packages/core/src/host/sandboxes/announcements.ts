// What the log of a host says once about its sandboxes.
import type { HostLog } from '../reporting/log.js'

/** Beyond this number of subjects, what was logged can be repeated. */
const MAX_SUBJECTS = 1000

export class Announcements {
  readonly #log: HostLog
  readonly #subjects = new Set<string>()

  constructor(log: HostLog) {
    this.#log = log
  }

  /** Calls `write` unless it was called for this subject. */
  once(subject: string, write: (log: HostLog) => void): void {
    if (this.#subjects.has(subject)) return
    if (this.#subjects.size === MAX_SUBJECTS) this.#subjects.clear()
    this.#subjects.add(subject)
    write(this.#log)
  }
}
