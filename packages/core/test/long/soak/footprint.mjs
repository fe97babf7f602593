// The resources of idle buses: the memory of each thread, and the handles, threads and descriptors of this process.
import { readdirSync } from 'node:fs'
import { getChildren } from '../../support/get-children.mjs'
import { memory } from './memory.mjs'
import { countOfProcesses, measureRelays } from './relays.mjs'
import { countPorts } from './thread-ports.mjs'

const count = directory => readdirSync(directory).length

function readProcess() {
  const handles = process.getActiveResourcesInfo().filter(kind => kind !== 'Timeout' && kind !== 'Immediate')
  const listeners = process.eventNames().map(name => process.listenerCount(name))
  const all = { handles: handles.length, listeners: listeners.reduce((sum, each) => sum + each, 0) }
  // Other platforms do not show the rest.
  if (process.platform !== 'linux') return all
  return {
    ...all,
    threads: count('/proc/self/task'),
    descriptors: count('/proc/self/fd'),
    children: getChildren(process.pid).length,
    ...countOfProcesses(),
  }
}

/** Returns `{ generation, …values }` by actor. */
export async function getFootprint(buses) {
  const all = {}
  for (const { name, bus, host, workers } of buses) {
    all[`${name}: core`] = await host.invoke('memory')
    for (const label of workers) all[`${name}: ${label}`] = await bus.call(label, 'memory')
  }
  const relays = await measureRelays()
  for (const relay of relays) all[`relays ${relay.generation.slice(0, 4)}`] = relay
  all.host = { ...(await memory()), ports: countPorts().others, ...readProcess() }
  return all
}
