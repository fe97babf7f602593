// The two buses of the soak, in one process: each pattern with frontends over both links, in every place but SES, and a client
// of the host's own.
import { createBus } from '@sallyport/core'
import { setTimeout as delay } from 'node:timers/promises'
import { commands } from './core.mjs'
import { exposed } from './traffic.mjs'

const module = new URL('frontend.mjs', import.meta.url)
const frontends = {
  // Nothing ends it; core and its gate are broken under it.
  steady: { module },
  ring: { module, link: 'ring', sandbox: 'permission' },
  port: { module, link: 'port', codec: 'msgpack', sandbox: 'none' },
}
const capability = {
  identifier: 'all',
  windows: ['*'],
  permissions: Object.keys(commands)
    .filter(name => name !== 'forbidden')
    .map(name => `allow-${name.replaceAll('_', '-')}`),
}
const isolation = { use: 'isolation', options: { dir: new URL('hook/', import.meta.url), hookTimeout: 500 } }
/** Restarts come soon, and as many as a seed wants. */
const supervision = { delay: { min: 20, max: 100 }, intensity: 10_000, heartbeat: 4000 }

async function start(name, pattern, more) {
  const all = { ...frontends, ...more }
  const bus = await createBus({
    core: new URL('core.mjs', import.meta.url),
    frontends: all,
    app: { security: { pattern, capabilities: [capability] } },
    supervision,
    log: false,
  })
  const told = {}
  const failures = []
  for (const event of ['fault', 'restart', 'failed', 'overload', 'rejected', 'denied', 'slow']) {
    bus.on(event, ({ label, error, actor }) => {
      const key = event === 'restart' ? `restart of a ${actor}` : event
      told[key] = (told[key] ?? 0) + 1
      if (event === 'failed') failures.push(`${name}: ${label} has failed: ${error.message}`)
    })
  }
  const host = await connect(bus, 'client')
  return { name, bus, host, workers: Object.keys(all), labels: [...Object.keys(all), 'client'], told, failures }
}

export async function connect(bus, label) {
  const client = await bus.connect(label)
  client.expose({ ...exposed, hook: args => client.invoke('echo', args) })
  await client.listen('pong', () => {})
  return client
}

export const startBuses = () =>
  Promise.all([
    start('brownfield', { use: 'brownfield' }, { process: { module, sandbox: 'process' } }),
    start('isolation', isolation),
  ])

/** Until every actor of a bus runs, and answers, and nothing is in flight; else what is in the way. */
export async function atRest({ name, bus, host, workers }, patience = 30_000) {
  const end = performance.now() + patience
  for (;;) {
    const what = await restless(bus, host, workers)
    if (what === undefined) return undefined
    if (performance.now() > end) return `${name}: after ${patience} ms: ${what}`
    await delay(20)
  }
}

async function restless(bus, host, workers) {
  for (const label of workers) {
    const answer = await bus.call(label, 'echo', { label }, { timeout: 2000 }).catch(error => error)
    if (answer.label !== label) return `${label} does not answer: ${answer.message}`
  }
  const answer = await host.invoke('echo', { ok: 1 }, { timeout: 2000 }).catch(error => error)
  if (answer.ok !== 1) return `the host’s client has no answer: ${answer.message}`
  const { core, host: own, frontends } = await bus.stats()
  if (core.state !== 'running' || core.inFlight > 0)
    return `core is ${core.state} with ${core.inFlight} calls in flight`
  for (const [label, { state, inFlight, queued, gate }] of [...Object.entries(frontends), ['the host', own]]) {
    if (state !== undefined && state !== 'running') return `${label} is ${state}`
    if (gate && gate.state !== 'running') return `the gate of ${label} is ${gate.state}`
    if (inFlight > 0 || queued > 2 ** 21) return `${label} has ${inFlight} calls in flight and ${queued} bytes queued`
  }
  const there = Object.keys(frontends)
  const known =
    there.length === workers.length + 1 && there.every(label => label === 'client' || workers.includes(label))
  return known ? undefined : `there are the frontends ${there.join()}`
}
