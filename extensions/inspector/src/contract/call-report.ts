// Reports of core's thread about calls: counts by caller and command, and a sample of single calls. Core passes them on unread.

/** Characters of a name that are shown. */
export const MAX_NAME_LENGTH = 200

/** Calls of one command by one caller. */
export interface CallerStats {
  /** The frontend, or `host`. */
  label: string
  calls: number
  /** Number of failed calls by reason. */
  failures: Record<string, number>
  /** Calls that run now. */
  inFlight: number
}

/** Calls of one command by all frontends and the host, since core began to count them. */
export interface CommandStats extends Omit<CallerStats, 'label'> {
  command: string
  /** Microseconds: 99 % of the timed calls took no longer, with a precision of 10 %. 0 if none was timed. */
  p99: number
  /** The frontend of the oldest one that is not long-lived, or `host`, and for how many milliseconds it has been seen running. */
  oldest?: { label: string; ms: number }
  /** Those with most calls first. */
  callers: readonly CallerStats[]
  /** Number of callers that are left out. */
  moreCallers: number
}

/** One call. It is reported when it begins, and again when it ends. */
export interface CallRecord {
  /** Unique for this watch. */
  id: number
  label: string
  command: string
  /** About how many bytes its arguments have. */
  size: number
  /** About how many bytes its result has; `undefined` for a failure, a stream, and while the call runs. */
  answerSize?: number
  /** Milliseconds since 1970. */
  at: number
  /** Milliseconds; `undefined` while the call runs. */
  ms?: number
  /** `ok`, or the reason of its error; `undefined` while the call runs. */
  outcome?: string
}

export interface CallReport {
  /** Time at which the watch began, in milliseconds since 1970. */
  since: number
  commands: readonly CommandStats[]
  /** Calls that began or ended since the previous report. */
  calls: readonly CallRecord[]
  /** Memory of `readCurrentCall`. */
  current: SharedArrayBuffer
}
