// The soak: `node run.mjs --seed N --seconds S [--round MS] [--rounds N] [--leak WHAT,…]`. Rounds of traffic and faults. After each the buses must be idle, serve
// every kind of call, and hold no more than before. Prints a report, and exits with 1 if a bound is broken.
import { parseArgs } from 'node:util'
import { limited, startBuses, visit, waitUntilIdle } from './buses.mjs'
import { causeFaults } from './faults.mjs'
import { getFootprint } from './footprint.mjs'
import { Random } from './random.mjs'
import { leakInRelays, useOwnDirectory } from './relays.mjs'
import { report } from './report.mjs'
import { runTraffic } from './random-traffic.mjs'
import { getConfirmed, getGrowths } from './verdict.mjs'

const CORE_BREAKS_EACH = 15
/** Kinds of `--leak` in which every process that starts leaves something behind. The others leak once a round. */
const OF_RELAYS = ['relays', 'sockets', 'directories', 'cgroups']
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    round: { type: 'string', default: '3000' },
    // The least number: fewer show no growth.
    rounds: { type: 'string', default: '10' },
    leak: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const ROUND_MS = Number(values.round)
const random = new Random(seed)
const begin = performance.now()
const end = begin + Number(values.seconds) * 1000

useOwnDirectory()
const buses = await startBuses()
const leaks = values.leak?.split(',') ?? []
for (const each of leaks.filter(each => OF_RELAYS.includes(each))) leakInRelays(each)
const footprints = []
const problems = []
const outcomes = {}
const faults = {}
/** What `--leak shared` keeps. */
const leaked = []

const add = (sums, counts) => {
  for (const [name, n] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + n
}
const take = result => {
  // A frontend that ended meanwhile has no result.
  if (!result) return
  problems.push(...result.problems)
  for (const [name, counts] of Object.entries(result.outcomes)) add((outcomes[name] ??= {}), counts)
}

/** Makes traffic in all frontends concurrently, and with the client of the host in this thread. */
async function makeTraffic(options) {
  const each = buses.flatMap(({ bus, host, workers, labels }) => [
    ...workers.map(label => bus.call(label, 'traffic', { ...options, labels, seed: random.below(2 ** 31) })),
    runTraffic(host, { ...options, labels, seed: random.below(2 ** 31) }),
  ])
  for (const { value, reason } of await Promise.allSettled(each)) {
    if (reason && (options.calm || reason.reason !== 'Disconnected')) problems.push(`traffic: ${reason.message}`)
    take(value)
  }
}

async function run(round) {
  // Core fails rarely, because its memory is compared only until it restarts.
  const breaksCore = round % CORE_BREAKS_EACH === 1
  const [counts] = await Promise.all([
    causeFaults(buses, random, ROUND_MS, breaksCore),
    makeTraffic({ ms: ROUND_MS, width: 4 }),
  ])
  add(faults, counts)
  await waitForBuses()
  for (const each of leaks) await leak(each)
  await makeTraffic({ calm: true })
  // In every round a process ends, and another one takes its place.
  await Promise.all(buses.map(({ bus }) => visit(bus, 'visitor', limited)))
  await waitForBuses()
  footprints.push(await getFootprint(buses))
  if (values.verbose) console.log(round, JSON.stringify(counts), JSON.stringify(footprints.at(-1)))
}

async function waitForBuses() {
  for (const target of buses)
    problems.push(...[await waitUntilIdle(target)].filter(Boolean), ...target.failures.splice(0))
  if (problems.length > 0) throw new Error('the buses are not idle')
}

/** Leaks on purpose, to show that a leak is found. */
async function leak(what) {
  for (const { host } of buses) {
    if (what === 'core') await host.invoke('leak_listeners')
    if (what === 'signals') await host.invoke('leak_signals')
    // The rings of one link.
    if (what === 'shared') leaked.push(new SharedArrayBuffer(8), new SharedArrayBuffer(8))
    if (what === 'listener') for (let i = 0; i < 20; i++) await host.listen('pong', () => {})
  }
}

async function runRounds(isEnough) {
  for (const begin = footprints.length; !isEnough(footprints.length - begin) && problems.length === 0;) {
    const round = footprints.length
    await run(round).catch(error => problems.push(`round ${round}: ${error.stack}`))
  }
}

await runRounds(rounds => rounds >= Number(values.rounds) && performance.now() >= end)
let growths = getGrowths(footprints)
// Code that is first reached in the middle of a run, and threads that start late, add once. A leak adds again, in as many rounds after it.
if (growths.some(({ broken }) => broken)) {
  const rounds = footprints.length
  await runRounds(more => more >= rounds)
  growths = getConfirmed(growths, getGrowths(footprints.slice(rounds)))
}
const ms = performance.now() - begin
const events = {}
for (const target of buses) add(events, target.events)
await Promise.all(buses.map(({ bus }) => bus.close({ timeout: 0 })))
const failed = report({ seed, ms, rounds: footprints.length, outcomes, faults, events, problems, growths })
process.exitCode = failed ? 1 : 0
