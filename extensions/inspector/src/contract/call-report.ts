// Reports of core's thread about calls: counts by caller and command, and a sample of single calls. Core passes them on unread.

export const MAX_NAME_LENGTH = 200

export interface CallerStats {
  label: string
  calls: number
  failures: Record<string, number>
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
  moreCallers: number
}

/** One call. It is reported when it begins, and again when it ends. */
export interface CallRecord {
  id: number
  label: string
  command: string
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
  current: SharedArrayBuffer
}

const MAX_NAMES = 256
const SLOT_BYTES = 512
const LENGTH_BYTES = 2
const HEAD_BYTES = 4
const NONE = 0
const SEPARATOR = '\0'

const encoder = new TextEncoder()

export class CurrentCall {
  readonly memory: SharedArrayBuffer = new SharedArrayBuffer(HEAD_BYTES + MAX_NAMES * SLOT_BYTES)
  readonly #word = new Int32Array(this.memory, 0, 1)
  #names = 0

  addName(label: string, command: string): number {
    if (this.#names === MAX_NAMES) return NONE
    const at = HEAD_BYTES + this.#names * SLOT_BYTES
    // `encodeInto` takes no shared memory.
    const text = encoder.encode(`${label}${SEPARATOR}${command}`).subarray(0, SLOT_BYTES - LENGTH_BYTES)
    new Uint8Array(this.memory, at + LENGTH_BYTES, text.length).set(text)
    new DataView(this.memory).setUint16(at, text.length)
    return ++this.#names
  }

  enter(name: number): void {
    this.#word[0] = name
  }

  leave(): void {
    this.#word[0] = NONE
  }
}

/** Returns the call whose handler runs, if it is known. */
export function readCurrentCall(memory: SharedArrayBuffer): { label: string; command: string } | undefined {
  const name = new Int32Array(memory, 0, 1)[0]!
  if (name === NONE) return undefined
  const at = HEAD_BYTES + (name - 1) * SLOT_BYTES
  const length = new DataView(memory).getUint16(at)
  const bytes = new Uint8Array(memory, at + LENGTH_BYTES, length).slice()
  const [label = '', command = ''] = new TextDecoder().decode(bytes).split(SEPARATOR)
  return { label, command }
}
