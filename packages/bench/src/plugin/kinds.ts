// The measured kinds of plugins, and of clients: what a host does with each, and the code of the host that they call. A kind loads its library itself,
// because its first calls are measured, too.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { connectRaw, overIpc, overPort, serveRaw } from '../loops/peers.js'
import { workerUrl } from '../run/machine.js'
import type { BusPluginOptions } from './bus-plugins.js'
import type { HostCode, LoadPluginHost, PluginHost } from './measure.js'

const inBus =
  (options: BusPluginOptions): LoadPluginHost =>
  async code =>
    (await import('./bus-plugins.js')).loadBus(code, options)

const inHost =
  (link: 'ring' | 'port', isGated = false): LoadPluginHost =>
  async () =>
    (await import('./bus-plugins.js')).loadClients(link, isGated)

const WALL: BusPluginOptions['sandbox'] = { kind: 'process', wall: 'required' }

const KINDS: Readonly<Record<string, LoadPluginHost>> = {
  worker: loadWorkers,
  fork: loadForks,
  'ring-json': inHost('ring'),
  'port-json': inHost('port'),
  'isolation-ring-json': inHost('ring', true),
  permission: inBus({ sandbox: 'permission' }),
  'process-wall': inBus({ sandbox: WALL }),
  'process-wall-gates': inBus({ sandbox: WALL, isGated: true }),
  quickjs: inBus({ sandbox: 'quickjs' }),
  'quickjs-wall': inBus({ sandbox: { kind: 'quickjs', process: true, wall: 'required' } }),
}

/** @throws Error if there is no such kind */
export function getPluginKind(id: string): LoadPluginHost {
  const load = KINDS[id]
  if (!load) throw new Error(`Unknown kind of plugin '${id}'`)
  return load
}

async function loadWorkers(code: HostCode): Promise<PluginHost> {
  return {
    start: async () => {
      const worker = new Worker(workerUrl('plugin-peer'))
      const endpoint = overPort(worker)
      serveRaw(endpoint, { ...code.functions })
      return { request: connectRaw(endpoint), end: () => worker.terminate() }
    },
  }
}

async function loadForks(code: HostCode): Promise<PluginHost> {
  return {
    start: async () => {
      const child = fork(workerUrl('plugin-peer'), { execArgv: [], serialization: 'advanced' })
      const exited = once(child, 'exit')
      const endpoint = overIpc(child)
      serveRaw(endpoint, { ...code.functions })
      const end = (): Promise<unknown> => {
        child.kill('SIGKILL')
        return exited
      }
      return { request: connectRaw(endpoint), end }
    },
  }
}
