// The arms of one plugin in its host. Each measurement runs in a fresh process, which is the host.
import type { Arm, Arms, Measurement } from '../model/scenario.js'
import { lacksIsolatedVm, NODE_OPTIONS, readIsolatedVmVersion } from '../plugin/isolated-vm-plugins.js'
import { readVersion } from '../run/machine.js'
import { measureFresh } from '../run/measure-fresh.js'
import { lacksWall } from './wall.js'

const arm = (id: string, title: string, execArgv: readonly string[] = []): Arm => ({
  id,
  title,
  open: async () => ({
    measure: () => measureFresh<{ kind: string }, Measurement>('plugin', { kind: id }, { execArgv }),
    close: async () => {},
  }),
})

/** Reads the versions of the peers. */
export const pluginArms = (): Arms => [
  arm('worker', 'raw Worker'),
  arm('fork', 'raw fork'),
  arm('comlink', `comlink ${readVersion('comlink')}`),
  arm('permission', 'permission'),
  { ...arm('process-wall', 'process, wall'), lacks: lacksWall },
  arm('ses', 'ses'),
  arm('quickjs', `QuickJS ${readVersion('quickjs-emscripten-core')}`),
  { ...arm('isolated-vm', `isolated-vm ${readIsolatedVmVersion()}`.trim(), NODE_OPTIONS), lacks: lacksIsolatedVm },
]
