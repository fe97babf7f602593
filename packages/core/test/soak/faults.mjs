// Faults during traffic. Each is a call to the actor that is to break, and waits only for that call.
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from './buses.mjs'

const module = new URL('frontend.mjs', import.meta.url)
const ignore = () => {}
const LIMIT = { timeout: 10_000 }
const told = promise => promise.then(ignore, ignore)
const end = how => (world, random) => {
  const label = random.pick(world.workers.filter(each => each !== 'steady'))
  return told(world.bus.call(label, 'end', { how }, LIMIT))
}
const hook = way => (world, random) => told(world.bus.call(random.pick(world.labels), 'hook', { hook: way }, LIMIT))

/** With how often it is chosen, and the bus where it can only be there. */
const faults = [
  ['frontend throws', end('throw'), 2],
  ['frontend rejects', end('reject'), 1],
  ['frontend exits', end('exit'), 2],
  ['frontend loops', end('loop'), 0.3],
  [
    'frontend blocked',
    (world, random) => told(world.bus.call(random.pick(world.workers), 'block', { ms: 400 }, LIMIT)),
    2,
  ],
  ['core blocked', ({ host }) => told(host.invoke('block', { ms: 200 }, LIMIT)), 1],
  ['hook spins', hook('spin'), 1, 'isolation'],
  ['hook keeps memory', hook('keep'), 1, 'isolation'],
  [
    'frontend floods',
    (world, random) => told(world.bus.call(random.pick(world.workers), 'flood', { calls: 3000, events: 3000 }, LIMIT)),
    1,
  ],
  [
    'events to one that reads nothing',
    async (world, random) => {
      const label = random.pick(world.workers)
      const blocked = told(world.bus.call(label, 'block', { ms: 400 }, LIMIT))
      await told(world.host.invoke('pour', { label, count: 20_000, size: 1000 }, LIMIT))
      await blocked
    },
    1,
  ],
  [
    'client comes and goes',
    async ({ bus }, random) => {
      const client = await connect(bus, `guest-${random.below(1e9)}`)
      const calls = Array.from({ length: 20 }, () => told(client.invoke('never')))
      await told(client.invoke('hold'))
      await client.close()
      await Promise.all(calls)
    },
    4,
  ],
  [
    'frontend comes and goes',
    async ({ bus }, random) => {
      const label = `guest-${random.below(1e9)}`
      await bus.open(label, module, { sandbox: random.pick(['none', 'permission']) })
      await told(bus.call(label, 'echo', {}, LIMIT))
      await bus.closeFrontend(label)
    },
    1,
  ],
]
const core = [
  ['core throws', ({ host }) => told(host.invoke('end', { how: 'throw' }, LIMIT))],
  ['core exits', ({ host }) => told(host.invoke('end', { how: 'exit' }, LIMIT))],
]

/** Breaks one thing after the other for `ms`; `breakCore`: core once, on one of the buses. Counts by name. */
export async function breakThings(worlds, random, ms, breakCore) {
  const counts = {}
  const run = async ([name, fault], world) => {
    counts[name] = (counts[name] ?? 0) + 1
    await fault(world, random).catch(error => {
      // A bus whose core is being started again refuses guests.
      if (error.reason === undefined) throw error
    })
  }
  const until = performance.now() + ms
  if (breakCore) await run(random.pick(core), random.pick(worlds))
  while (performance.now() < until) {
    const fault = random.weighted(faults.map(each => [each, each[2]]))
    await run(fault, worlds.find(({ name }) => name === fault[3]) ?? random.pick(worlds))
    await delay(random.below(100))
  }
  return counts
}
