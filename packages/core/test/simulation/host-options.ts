// Options of the simulated host, as `createBus` resolves them. A missing option is a type error.
import type { BusConfig } from '../../src/options/config.js'
import type { SupervisionConfig } from '../../src/life/policy.js'
import { COMMANDS } from './commands.js'

export function hostOptions(core: SupervisionConfig, isolated: boolean): BusConfig {
  const permissions = COMMANDS.map(name => `allow-${name}`)
  return {
    codec: 'json',
    core: new URL('core:none'),
    startTimeout: undefined,
    frontends: [],
    coreSupervision: core,
    calls: {},
    pattern: isolated ? 'isolation' : 'brownfield',
    dev: false,
    inspect: false,
    workers: {},
    isolation: { dir: undefined, gates: 'each', legacyMessages: false, hookTimeout: 1000, from: '' },
    acl: {
      capabilities: [{ value: [{ identifier: 'all', windows: ['*'], permissions }], from: 'the simulation' }],
      permissionFiles: [],
      manifests: undefined,
      platform: 'linux',
    },
    appInfo: {},
    resources: undefined,
    webview: undefined,
    plugins: {},
    network: undefined,
    log: false,
    onConfirm: undefined,
  }
}
