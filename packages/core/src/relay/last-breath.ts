// A process that spins does not see that its relay has gone. So a shell waits beside it, at the end of a pipe that nobody
// writes to before the process has ended: where the pipe ends first, however that came, the shell kills the process. Where
// there is no shell, a process that spins outlives a host that was killed.
import { spawn, type ChildProcess } from 'node:child_process'

const SCRIPT = 'read -r _ || { kill -9 "$1"; rmdir "$2"; }'

/** Settled once the shell has ended too: what ends after its relay stays in the host's table of processes. */
export async function killAfterUs(child: ChildProcess, folder: string): Promise<void> {
  if (process.platform === 'win32' || child.pid === undefined) return
  const args = ['-c', SCRIPT, 'sallyport', String(child.pid), folder]
  const shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/', env: {}, detached: true })
  shell.stdin.on('error', () => {})
  child.once('exit', () => shell.stdin.end('\n'))
  await new Promise(resolve => shell.once('error', resolve).once('exit', resolve))
}
