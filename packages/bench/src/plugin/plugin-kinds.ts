// The measured kinds of plugins, by the id of their arm.
import { loadBus } from './bus-plugins.js'
import { loadIsolatedVm } from './isolated-vm-plugins.js'
import type { LoadPluginHost } from './plugin-host.js'
import { loadQuickJs } from './quickjs-plugins.js'
import { loadComlink, loadForks, loadWorkers } from './thread-plugins.js'

export const PLUGIN_KINDS: Readonly<Record<string, LoadPluginHost>> = {
  worker: loadWorkers,
  fork: loadForks,
  comlink: loadComlink,
  permission: loadBus('permission'),
  'process-wall': loadBus({ kind: 'process', wall: 'required' }),
  ses: loadBus('ses'),
  quickjs: loadQuickJs,
  'isolated-vm': loadIsolatedVm,
}
