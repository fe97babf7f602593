// The measured kinds of plugins. A kind loads its library itself, because its first calls are measured, too.
import type { PeerId } from '../peers/peers.js'
import type { BusPluginOptions } from './bus-plugins.js'
import type { LoadPluginHost } from './plugin-host.js'

/** 1,000 scripts are in four processes. */
const SCRIPTS_PER_PROCESS = 250

const inWorkers =
  (peer: PeerId): LoadPluginHost =>
  async code =>
    (await import('./peer-plugins.js')).loadWorkers(code, peer)

const inBus =
  (options: BusPluginOptions): LoadPluginHost =>
  async code =>
    (await import('./bus-plugins.js')).loadBus(code, options)

/** Without gates, with a gate for each, and with a thread that all gates share. */
const inPatterns = (id: string, sandbox: BusPluginOptions['sandbox']): Record<string, LoadPluginHost> => ({
  [id]: inBus({ sandbox }),
  [`${id}-gates`]: inBus({ sandbox, gates: 'each' }),
  [`${id}-shared`]: inBus({ sandbox, gates: 1 }),
})

const KINDS: Readonly<Record<string, LoadPluginHost>> = {
  worker: inWorkers('raw'),
  birpc: inWorkers('birpc'),
  comlink: inWorkers('comlink'),
  fork: async code => (await import('./peer-plugins.js')).loadForks(code),
  ...inPatterns('permission', 'permission'),
  ...inPatterns('process', { kind: 'process', wall: 'none' }),
  ...inPatterns('process-wall', { kind: 'process', wall: 'required' }),
  ...inPatterns('quickjs', 'quickjs'),
  'quickjs-wall': inBus({ sandbox: { kind: 'quickjs', process: true, wall: 'required' } }),
  'quickjs-processes': inBus({
    sandbox: { kind: 'quickjs', process: true, wall: 'required', perProcess: SCRIPTS_PER_PROCESS },
  }),
  'isolated-vm': async code => (await import('./isolated-vm-plugins.js')).loadIsolatedVm(code),
}

/** @throws Error if there is no such kind */
export function getPluginKind(id: string): LoadPluginHost {
  const load = KINDS[id]
  if (!load) throw new Error(`Unknown kind of plugin '${id}'`)
  return load
}
