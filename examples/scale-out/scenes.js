// @ts-check
// The scenes of the program. Each asks processes to do something, and prints their answers.
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { busyCpus } from './cpus.js'

/** @typedef {import('./processes.js').Process} Process */
/** Numbers of calls by core. @typedef {Record<string, number>} Counts */

/** @param {Process} spread @param {Process[]} cores @param {(name: string) => Promise<Process>} startCore */
export async function throughput(spread, cores, startCore) {
  console.log('1. More cores: "spread" keeps 24 calls in flight, each hashes 1 MiB in a core')
  const others = await busyCpus()
  await spread.ask('work', { calls: 24, ms: 500 }) // the first run is slow
  let one = 0
  for (const count of [1, 2, 3]) {
    if (count > 1) cores.push(await startCore(`core-${count}`))
    await spread.ask('reach', { cores: count })
    const { sent, answered, seconds } = await spread.ask('work', { calls: 24, ms: 2000 })
    const rate = sum(answered) / seconds
    one ||= rate
    const figures = `${rate.toFixed()} calls/s, ${(rate / one).toFixed(2)} times one core`
    const label = count === 1 ? '1 core' : `${count} cores`
    console.log(`   ${label}: ${figures}; answered ${sum(answered)} of ${sent}: ${list(answered)}`)
  }
  const own = cores.length + 2 // including the frontend and the server
  const cpus = availableParallelism()
  const so = cpus < own + others ? 'too few for each, so the ratios hold for this machine only' : 'enough for each'
  console.log(
    `   ${own} processes on ${cpus} CPUs, ${others.toFixed(1)} of them busy with other programs just before: ${so}`,
  )
}

/** Returns the name of the core that `sticky` is connected to. @param {Process} spread @param {Process} sticky */
export async function state(spread, sticky) {
  console.log('2. State belongs to one core: each counts the calls that it gets')
  let core = ''
  for (const frontend of [spread, sticky]) {
    /** @type {{ core: string, count: number }[]} */
    const counts = await frontend.ask('count', { times: 6 })
    console.log(`   ${frontend.name}: ${counts.map(({ core, count }) => `${core} says ${count}`).join(', ')}`)
    core = counts[0]?.core ?? ''
  }
  return core
}

/** @param {Process} spread @param {Process} sticky */
export async function events(spread, sticky) {
  console.log('3. Events are for all: one core emits, and listeners at any core receive it')
  await sticky.ask('announce', { text: 'Hello' })
  for (const frontend of [spread, sticky]) {
    console.log(`   ${frontend.name} received: ${(await frontend.ask('received')).join(', ')}`)
  }
}

/** @param {Process} core */
export async function stats(core) {
  console.log(`4. Cores exchange figures: bus.stats() of ${core.name} sums them up`)
  await delay(2500) // cores exchange their figures every two seconds
  const { instances, total } = await core.ask('stats')
  console.log(`   ${Object.keys(instances).length} instances, ${total.sessions} sessions, ${total.calls} calls`)
}

/** @param {Process} spread @param {Process} sticky @param {Process} core */
export async function crash(spread, sticky, core) {
  console.log(`5. A core dies: ${core.name} is killed, while both frontends keep 12 calls in flight`)
  const calling = [spread, sticky].map(frontend => frontend.ask('work', { calls: 12, ms: 4000 }))
  await delay(500)
  await core.kill()
  const outcomes = await Promise.all(calling)
  for (const [at, frontend] of [spread, sticky].entries()) {
    const { sent, answered, lost, longest } = outcomes[at]
    await frontend.ask('reach', { cores: frontend === spread ? 2 : 1 })
    const after = await frontend.ask('work', { calls: 12, ms: 500 })
    const rejected = `Disconnected: ${lost.unknown} in flight, ${lost.no} not sent, after at most ${longest.toFixed()} ms`
    console.log(
      `   ${frontend.name}: answered ${sum(answered)} of ${sent}; ${rejected}; after that: ${list(after.answered)}`,
    )
  }
}

/** @param {Counts} counts */
const sum = counts => Object.values(counts).reduce((total, count) => total + count, 0)

/** @param {Counts} counts */
const list = counts =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .toSorted()
    .join(', ')
