// @ts-check
// Measures how many CPUs are busy. On a busy machine, the throughput says little about more cores.
import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

/** Returns the average number over half a second. */
export async function busyCpus() {
  const before = spent()
  await delay(500)
  const after = spent()
  const idle = (after.idle - before.idle) / (after.all - before.all)
  return cpus().length * (1 - idle)
}

/** Returns milliseconds of all CPUs since the machine started. */
function spent() {
  const times = cpus().map(cpu => cpu.times)
  const all = times.flatMap(each => Object.values(each)).reduce((sum, ms) => sum + ms, 0)
  return { idle: times.reduce((sum, { idle }) => sum + idle, 0), all }
}
