// @ts-check
// How many CPUs are busy: throughput on a machine where other programs work says little of more cores.
import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

/** On average over half a second. */
export async function busyCpus() {
  const before = spent()
  await delay(500)
  const after = spent()
  const idle = (after.idle - before.idle) / (after.all - before.all)
  return cpus().length * (1 - idle)
}

/** Milliseconds, of all CPUs since the machine began. */
function spent() {
  const times = cpus().map(cpu => cpu.times)
  const all = times.flatMap(each => Object.values(each)).reduce((sum, ms) => sum + ms, 0)
  return { idle: times.reduce((sum, { idle }) => sum + idle, 0), all }
}
