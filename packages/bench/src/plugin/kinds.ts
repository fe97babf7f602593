// The measured kinds of plugins, and of clients: what a host does with each, and the code of the host that they call. A kind loads its library itself,
// because its first calls are measured, too.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { connectRaw, loadPeer, overIpc, type PeerId, serveRaw } from '../loops/peers.js'
import { workerUrl } from '../run/machine.js'
import type { BusPluginOptions, HostCode, LoadPluginHost, PluginHost } from './plugin-host.js'

const inWorkers =
  (peer: PeerId): LoadPluginHost =>
  async code =>
    loadWorkers(code, peer)

const inBus =
  (options: BusPluginOptions): LoadPluginHost =>
  async code =>
    (await import('./bus-plugins.js')).loadBus(code, options)

const inHost =
  (link: 'ring' | 'port', isGated = false): LoadPluginHost =>
  async () =>
    (await import('./bus-plugins.js')).loadClients(link, isGated)

/** 1,000 scripts are in four processes. */
const SCRIPTS_PER_PROCESS = 250

const WALL: BusPluginOptions['sandbox'] = { kind: 'process', wall: 'required' }

const KINDS: Readonly<Record<string, LoadPluginHost>> = {
  worker: inWorkers('raw'),
  comlink: inWorkers('comlink'),
  fork: loadForks,
  'ring-json': inHost('ring'),
  'port-json': inHost('port'),
  'isolation-ring-json': inHost('ring', true),
  permission: inBus({ sandbox: 'permission' }),
  'process-wall': inBus({ sandbox: WALL }),
  'process-wall-gates': inBus({ sandbox: WALL, isGated: true }),
  quickjs: inBus({ sandbox: 'quickjs' }),
  'quickjs-wall': inBus({ sandbox: { kind: 'quickjs', process: true, wall: 'required' } }),
  'quickjs-processes': inBus({
    sandbox: { kind: 'quickjs', process: true, wall: 'required', perProcess: SCRIPTS_PER_PROCESS },
  }),
}

/** @throws Error if there is no such kind */
export function getPluginKind(id: string): LoadPluginHost {
  const load = KINDS[id]
  if (!load) throw new Error(`Unknown kind of plugin '${id}'`)
  return load
}

async function loadWorkers(code: HostCode, id: PeerId): Promise<PluginHost> {
  const peer = await loadPeer(id)
  return {
    start: async () => {
      const { port1, port2 } = new MessageChannel()
      peer.serve(port1, { ...code.functions })
      const worker = new Worker(workerUrl('plugin-peer'), { workerData: { id, port: port2 }, transferList: [port2] })
      const request = peer.connect(worker)
      return { request, end: () => worker.terminate() }
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
