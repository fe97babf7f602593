// The CPU time of this process, all its threads together. While one arm works and the others sleep, it is the arm's.

/** Gives what reads the CPU time that has gone since, in microseconds. */
export function startCpuClock(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
}
