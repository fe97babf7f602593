// Child processes of tests: none outlives the process that started it, however that exits.
import { spawn, type ChildProcess } from 'node:child_process'

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Returns a promise that resolves once the child has exited, and its output was read. */
export function guard(child: ChildProcess): Promise<void> {
  running.add(child)
  const exited = new Promise<void>(resolve => {
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
  // If this process is killed, none of its code runs any more, but the input of the killer ends.
  const killer = spawn('/bin/sh', ['-c', 'read -r _; kill -KILL "$0"', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  killer.unref()
  void exited.then(() => {
    running.delete(child)
    killer.kill('SIGKILL')
  })
  return exited
}
