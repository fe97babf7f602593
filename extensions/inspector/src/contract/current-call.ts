// The call whose handler core's thread runs now, in shared memory: the host can read it while core is blocked.

/** Names of callers and commands. Calls with later names are not found. */
const MAX_NAMES = 256
/** Bytes of a name, with its length. */
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

  /** Returns the number of a name for `enter`. */
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
