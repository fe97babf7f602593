// A process that spins does not see that its relay has gone. So a shell waits beside it, at the end of a pipe that nobody
// writes to before the process has ended: where the pipe ends first, however that came, the shell kills the process. Where
// there is no shell, a process that spins outlives a host that was killed.
import { spawn } from 'node:child_process'

const SCRIPT = 'read -r _ || { kill -9 "$1"; rmdir "$2"; }'

/** Gives what is to be called once the process has ended. */
export function killAfterUs(pid: number, folder: string): () => void {
  if (process.platform === 'win32') return () => {}
  const args = ['-c', SCRIPT, 'sallyport', String(pid), folder]
  const shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/', env: {}, detached: true })
  shell.on('error', () => {})
  shell.stdin.on('error', () => {})
  shell.unref()
  return () => shell.stdin.end('\n')
}
