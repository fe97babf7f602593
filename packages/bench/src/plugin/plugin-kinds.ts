// The measured kinds of plugins, and of clients. A kind loads its library itself, because its first calls are measured, too.
import type { PeerId } from '../loops/peers.js'
import type { BusPluginOptions } from './bus-plugins.js'
import type { LoadPluginHost } from './plugin-host.js'

const inWorkers =
  (peer: PeerId): LoadPluginHost =>
  async code =>
    (await import('./peer-plugins.js')).loadWorkers(code, peer)

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
  fork: async code => (await import('./peer-plugins.js')).loadForks(code),
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
