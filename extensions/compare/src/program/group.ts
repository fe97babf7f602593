import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'

/**
 * Starts a program that leads a process group. What it has started ends with it: that would move the figures of the next run, keep its pipes open, or
 * write into a directory that is removed. A signal ends all of them.
 */
export function startGroup(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  signal: AbortSignal,
): { child: ChildProcess; end(): void } {
  const hasGroups = process.platform !== 'win32'
  const child = spawn(command, args, { ...options, detached: hasGroups })
  const end = (): void => {
    try {
      if (hasGroups && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      else child.kill('SIGKILL')
    } catch {
      // Nothing is left.
    }
  }
  signal.addEventListener('abort', end, { once: true })
  const forget = (): void => signal.removeEventListener('abort', end)
  child.once('error', forget)
  child.once('exit', () => {
    forget()
    end()
  })
  return { child, end }
}
