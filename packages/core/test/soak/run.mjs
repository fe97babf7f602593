// The soak: `node run.mjs --seed N --seconds S [--round MS]`. Rounds of traffic and faults. After each the buses must be idle, serve
// every kind of call, and hold no more than before. Prints a report, and exits with 1 if a bound is broken.
import { parseArgs } from 'node:util'
import { atRest, startBuses } from './buses.mjs'
import { breakThings } from './faults.mjs'
import { footprint } from './footprint.mjs'
import { Random } from './random.mjs'
import { report } from './report.mjs'
import { traffic } from './traffic.mjs'
import { growthOf } from './verdict.mjs'

const CORE_BREAKS_EACH = 15
/** Fewer rounds say nothing about growth. */
const LEAST_ROUNDS = 10
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    round: { type: 'string', default: '3000' },
    leak: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const ROUND_MS = Number(values.round)
const random = new Random(seed)
const begin = performance.now()
const end = begin + Number(values.seconds) * 1000

const worlds = await startBuses()
const footprints = []
const wrong = []
const outcomes = {}
const faults = {}

const add = (sums, counts) => {
  for (const [name, n] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + n
}
const take = result => {
  // A frontend that ended meanwhile has no result.
  if (!result) return
  wrong.push(...result.wrong)
  for (const [name, counts] of Object.entries(result.outcomes)) add((outcomes[name] ??= {}), counts)
}

/** All frontends at once; what the host's own client does runs here. */
async function everywhere(options) {
  const each = worlds.flatMap(({ bus, host, workers, labels }) => [
    ...workers.map(label => bus.call(label, 'traffic', { ...options, labels, seed: random.below(2 ** 31) })),
    traffic(host, { ...options, labels, seed: random.below(2 ** 31) }),
  ])
  for (const { value, reason } of await Promise.allSettled(each)) {
    if (reason && (options.calm || reason.reason !== 'Disconnected')) wrong.push(`traffic: ${reason.message}`)
    take(value)
  }
}

async function run(round) {
  // Rarely: what it holds can only be measured while it lives.
  const breaksCore = round % CORE_BREAKS_EACH === 1
  const [counts] = await Promise.all([
    breakThings(worlds, random, ROUND_MS, breaksCore),
    everywhere({ ms: ROUND_MS, width: 4 }),
  ])
  add(faults, counts)
  await rest()
  if (values.leak) await leak(values.leak)
  await everywhere({ calm: true })
  await rest()
  footprints.push(await footprint(worlds))
  if (values.verbose) console.log(round, JSON.stringify(counts), JSON.stringify(footprints.at(-1)))
}

async function rest() {
  for (const world of worlds) wrong.push(...[await atRest(world)].filter(Boolean), ...world.failures.splice(0))
  if (wrong.length > 0) throw new Error('the buses are not at rest')
}

/** Shows that what stays is found. */
async function leak(what) {
  for (const { host } of worlds) {
    if (what === 'core') await host.invoke('leak_listeners')
    if (what === 'signals') await host.invoke('leak_signals')
    if (what === 'listener') for (let i = 0; i < 20; i++) await host.listen('pong', () => {})
  }
}

for (let round = 0; (round < LEAST_ROUNDS || performance.now() < end) && wrong.length === 0; round++) {
  await run(round).catch(error => wrong.push(`round ${round}: ${error.stack}`))
}
const ms = performance.now() - begin
const told = {}
for (const world of worlds) add(told, world.told)
await Promise.all(worlds.map(({ bus }) => bus.close({ timeout: 0 })))
const growths = growthOf(footprints)
const failed = report({ seed, ms, rounds: footprints.length, outcomes, faults, told, wrong, growths })
process.exitCode = failed ? 1 : 0
