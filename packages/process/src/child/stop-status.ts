// How the command that ends a process elsewhere has ended: a relay's thread writes it, and the host puts it into words.

/** A daemon that does not answer delays no restart for longer. The command goes on. */
export const STOP_TIMEOUT_MS = 5000
const MAX_LINE_BYTES = 300

/** In the place of an exit code. */
export const WAS_KILLED = -1
export const RUNS_ON = -2
export const NOT_RUN = -3

/** The exit code of `stop`, and the last line of its standard error. */
export const createStopStatus = (): SharedArrayBuffer =>
  new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT + MAX_LINE_BYTES)

export function setStopStatus(status: SharedArrayBuffer, code: number, said: string): void {
  Buffer.from(status, Int32Array.BYTES_PER_ELEMENT).write(said)
  new Int32Array(status, 0, 1)[0] = code
}

/** Returns a clause that says how `stop` has failed, or `undefined` if it has not. */
export function describeStop(status: SharedArrayBuffer): string | undefined {
  const [code = 0] = new Int32Array(status, 0, 1)
  if (code === 0) return undefined
  const [said = ''] = Buffer.from(status, Int32Array.BYTES_PER_ELEMENT).toString().split('\0')
  return said === '' ? explainCode(code) : `${explainCode(code)}: ${said}`
}

function explainCode(code: number): string {
  if (code === RUNS_ON) return `did not exit within ${STOP_TIMEOUT_MS / 1000} s`
  if (code === NOT_RUN) return 'was not run: /bin/sh could not be started'
  return code === WAS_KILLED ? 'was killed' : `exited with code ${code}`
}
