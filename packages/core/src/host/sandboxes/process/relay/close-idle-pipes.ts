// The pipes of a process that has exited: one that it has started can hold them open for as long as it runs.
import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'

/** Time for data to arrive, unless it waits for the host. */
const LAST_OUTPUT_MS = 500

/** Closes each pipe of a process that has exited once nothing has arrived in it for half a second. */
export function closeIdlePipes(child: Pick<ChildProcess, 'stdio' | 'once'>): void {
  const pipes = child.stdio.filter(pipe => pipe !== null && pipe !== undefined) as Socket[]
  const count = (): number[] => pipes.map(pipe => pipe.bytesRead)
  let read = count()
  const close = (): void => {
    const isIdle = (pipe: Socket, index: number): boolean => pipe.bytesRead === read[index] && !pipe.isPaused()
    for (const pipe of pipes.filter(isIdle)) pipe.destroy()
    read = count()
  }
  // A thread that was busy reads first.
  const timer = setInterval(() => setImmediate(close), LAST_OUTPUT_MS)
  child.once('close', () => clearInterval(timer))
}
