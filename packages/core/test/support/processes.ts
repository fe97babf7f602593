// Finds the processes of frontends from outside: within a wall they have other ids.
import { readFileSync } from 'node:fs'
import { getChildren } from './get-children.mjs'

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

const getDescendants = (pid: number): number[] => getChildren(pid).flatMap(child => [child, ...getDescendants(child)])

/** When a process started, in ticks since the start of the system. Ids begin again after the highest one. */
const getStart = (pid: number): number =>
  Number(
    read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ')[19],
  )

/**
 * Returns the processes in which the frontends of a host run, in the order in which the host started them: the process of a wall starts
 * that of Node later.
 */
export const getFrontendPids = (host: number = process.pid): number[] => {
  // A child that has not begun its own program yet still has the host's.
  const own = read(`/proc/${host}/cmdline`)
  return getChildren(host)
    .map(child => ({ child, start: getStart(child) }))
    .toSorted((a, b) => a.start - b.start)
    .flatMap(({ child }) => [child, ...getDescendants(child)])
    .filter(pid => {
      const command = read(`/proc/${pid}/cmdline`)
      return command.startsWith(`${process.execPath}\0`) && command !== own
    })
}

export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A killed process stays in the process table until its parent asks for its exit. */
export const isRunning = (pid: number): boolean => isAlive(pid) && !/^State:\s+Z/m.test(read(`/proc/${pid}/status`))
