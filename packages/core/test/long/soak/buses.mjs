// The two buses of the soak, in one process: each pattern with frontends in every sandbox for modules, and a client
// of the host.
import { createBus } from '@sallyport/core'
import { setTimeout as delay } from 'node:timers/promises'
import { commands } from './core.mjs'
import { exposed } from './random-traffic.mjs'

const module = new URL('frontend.mjs', import.meta.url)
const frontends = {
  // No fault ends it, but core and its gate fail.
  steady: { module },
  permission: { module, sandbox: 'permission' },
  none: { module, sandbox: 'none' },
}
/** Where the host may make cgroups, each has one. Visitors take the spare. */
export const limited = { kind: 'process', memory: 500, pids: 100, spares: 1 }
const capability = {
  identifier: 'all',
  windows: ['*'],
  permissions: Object.keys(commands)
    .filter(name => name !== 'forbidden')
    .map(name => `allow-${name.replaceAll('_', '-')}`),
}
const processes = { process: { module, sandbox: 'process' }, limited: { module, sandbox: limited } }
const isolation = { dir: new URL('hook/', import.meta.url), hookTimeout: 1000 }
/** Short delays, and enough restarts for any seed. On a busy machine a thread counts its objects for seconds. */
const supervision = { delay: { min: 20, max: 100 }, intensity: 10_000, heartbeat: 15_000 }
/** Only frontends loop, and a busy machine can stall core for seconds. */
const core = { module: new URL('core.mjs', import.meta.url), supervision: { heartbeat: 60_000 } }

async function start(name, options, more) {
  const all = { ...frontends, ...more }
  const bus = await createBus({
    core,
    frontends: all,
    ...options,
    capabilities: [capability],
    supervision,
    log: false,
  })
  const events = {}
  const failures = []
  for (const event of ['fault', 'restart', 'failed', 'overload', 'rejected', 'denied', 'slow']) {
    bus.on(event, ({ label, error, worker }) => {
      const key = event === 'restart' ? `restart of a ${worker}` : event
      events[key] = (events[key] ?? 0) + 1
      if (event === 'failed') failures.push(`${name}: ${label} has failed: ${error.message}`)
    })
  }
  const host = await connect(bus, 'client')
  return { name, bus, host, workers: Object.keys(all), labels: [...Object.keys(all), 'client'], events, failures }
}

export async function connect(bus, label) {
  const client = await bus.connect(label)
  client.expose({ ...exposed, hook: args => client.invoke('echo', args) })
  try {
    await client.listen('pong', () => {})
  } catch (error) {
    // Core has ended meanwhile. The caller has no client that it could close.
    await client.close()
    throw error
  }
  return client
}

/** Opens a frontend and closes it. */
export async function visit(bus, label, sandbox) {
  await bus.open(label, module, { sandbox })
  await bus.call(label, 'echo', {}, { timeout: 10_000 }).catch(() => {})
  await bus.closeFrontend(label)
}

export const startBuses = () =>
  Promise.all([start('brownfield', {}, processes), start('isolation', { isolation }, processes)])

/** Waits until every actor of a bus runs and answers, and nothing is in flight. Returns the problem after the timeout. */
export async function waitUntilIdle({ name, bus, host, workers }, timeout = 30_000) {
  const end = performance.now() + timeout
  for (;;) {
    const what = await findActivity(bus, host, workers)
    if (what === undefined) return undefined
    if (performance.now() > end) return `${name}: after ${timeout} ms: ${what}`
    await delay(20)
  }
}

async function findActivity(bus, host, workers) {
  for (const label of workers) {
    const answer = await bus.call(label, 'echo', { label }, { timeout: 2000 }).catch(error => error)
    if (answer.label !== label) return `${label} does not answer: ${answer.message}`
  }
  const answer = await host.invoke('echo', { ok: 1 }, { timeout: 2000 }).catch(error => error)
  if (answer.ok !== 1) return `the client of the host has no answer: ${answer.message}`
  const { core, host: hostStats, frontends, spares } = await bus.stats()
  if (spares !== limited.spares) return `${spares} processes wait for frontends`
  if (core.state !== 'running' || core.inFlight > 0)
    return `core is ${core.state} with ${core.inFlight} calls in flight`
  for (const [label, { state, inFlight, queued, gate }] of [...Object.entries(frontends), ['the host', hostStats]]) {
    if (state !== undefined && state !== 'running') return `${label} is ${state}`
    if (gate && gate.state !== 'running') return `the gate of ${label} is ${gate.state}`
    if (inFlight > 0 || queued > 2 ** 21) return `${label} has ${inFlight} calls in flight and ${queued} bytes queued`
  }
  const labels = Object.keys(frontends)
  const known =
    labels.length === workers.length + 1 && labels.every(label => label === 'client' || workers.includes(label))
  return known ? undefined : `there are the frontends ${labels.join()}`
}
