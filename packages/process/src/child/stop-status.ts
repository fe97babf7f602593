// How the command that ends a process elsewhere has failed: a relay's thread writes it, and the host tells it.

/** A daemon that does not answer delays no restart for longer. The command goes on. */
export const STOP_TIMEOUT_MS = 5000
const MAX_TEXT_BYTES = 400

/** A clause, such as `exited with code 1: no such container`, with a zero byte behind it. */
export const createStopStatus = (): SharedArrayBuffer => new SharedArrayBuffer(MAX_TEXT_BYTES + 1)

/** @param failure - a clause, or an empty text if it has not failed */
export const setStopStatus = (status: SharedArrayBuffer, failure: string): void =>
  void Buffer.from(status, 0, MAX_TEXT_BYTES).write(`${failure}\0`)

/** Returns a clause that says how `stop` has failed, or `undefined` if it has not. */
export const describeStop = (status: SharedArrayBuffer): string | undefined =>
  Buffer.from(status).toString().split('\0')[0] || undefined
