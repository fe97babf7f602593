// Processes that tests start: none outlives the process that started it, however that ends.
import { spawn, type ChildProcess } from 'node:child_process'

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Gives what resolves once it is gone. */
export function guard(child: ChildProcess): Promise<void> {
  running.add(child)
  const gone = new Promise<void>(resolve => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  // This process may be killed: then nothing of it runs, but the guard's input ends.
  const killer = spawn('/bin/sh', ['-c', 'read -r _; kill -KILL "$0"', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  killer.unref()
  void gone.then(() => {
    running.delete(child)
    killer.kill('SIGKILL')
  })
  return gone
}
