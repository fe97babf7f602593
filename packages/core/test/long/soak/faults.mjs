// Faults during traffic. Each is a call to the actor that fails, and waits only for that call.
import { setTimeout as delay } from 'node:timers/promises'
import { connect, limited, visit } from './buses.mjs'

const ignore = () => {}
const LIMIT = { timeout: 10_000 }
const settle = promise => promise.then(ignore, ignore)
const end = how => (target, random) => {
  const label = random.pick(target.workers.filter(each => each !== 'steady'))
  return settle(target.bus.call(label, 'end', { how }, LIMIT))
}
const hook = way => (target, random) =>
  settle(target.bus.call(random.pick(target.labels), 'hook', { hook: way }, LIMIT))

/** Name, function, weight, and the only bus that can have the fault. */
const faults = [
  ['frontend throws', end('throw'), 2],
  ['frontend rejects', end('reject'), 1],
  ['frontend exits', end('exit'), 2],
  ['frontend loops', end('loop'), 0.3],
  [
    'frontend blocked',
    (target, random) => settle(target.bus.call(random.pick(target.workers), 'block', { ms: 400 }, LIMIT)),
    2,
  ],
  ['core blocked', ({ host }) => settle(host.invoke('block', { ms: 200 }, LIMIT)), 1],
  ['hook spins', hook('spin'), 1, 'isolation'],
  ['hook keeps memory', hook('keep'), 1, 'isolation'],
  [
    'frontend floods',
    (target, random) =>
      settle(target.bus.call(random.pick(target.workers), 'flood', { calls: 3000, events: 3000 }, LIMIT)),
    1,
  ],
  [
    'events to a frontend that does not read',
    async (target, random) => {
      const label = random.pick(target.workers)
      const blocked = settle(target.bus.call(label, 'block', { ms: 400 }, LIMIT))
      await settle(target.host.invoke('pour', { label, count: 20_000, size: 1000 }, LIMIT))
      await blocked
    },
    1,
  ],
  [
    'client comes and goes',
    async ({ bus }, random) => {
      const client = await connect(bus, `visitor-${random.below(1e9)}`)
      const calls = Array.from({ length: 20 }, () => settle(client.invoke('never')))
      await settle(client.invoke('hold'))
      await client.close()
      await Promise.all(calls)
    },
    4,
  ],
  [
    'frontend comes and goes',
    ({ bus }, random) =>
      visit(bus, `visitor-${random.below(1e9)}`, random.pick(['none', 'permission', 'process', limited])),
    3,
  ],
]
const core = [
  ['core throws', ({ host }) => settle(host.invoke('end', { how: 'throw' }, LIMIT))],
  ['core exits', ({ host }) => settle(host.invoke('end', { how: 'exit' }, LIMIT))],
]

/** Causes one fault after another for `ms`. With `breakCore` the first ends core of one bus. Returns counts by name. */
export async function causeFaults(buses, random, ms, breakCore) {
  const counts = {}
  const run = async ([name, fault], target) => {
    counts[name] = (counts[name] ?? 0) + 1
    await fault(target, random).catch(error => {
      // A bus refuses frontends while its core restarts.
      if (error.reason === undefined) throw error
    })
  }
  const until = performance.now() + ms
  if (breakCore) await run(random.pick(core), random.pick(buses))
  while (performance.now() < until) {
    const fault = random.weighted(faults.map(each => [each, each[2]]))
    await run(fault, buses.find(({ name }) => name === fault[3]) ?? random.pick(buses))
    await delay(random.below(100))
  }
  return counts
}
