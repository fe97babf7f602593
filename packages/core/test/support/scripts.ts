// The core and the patterns of the tests of scripts (`sandbox: 'quickjs'`).
import type { BusOptions, Sandbox } from '../../src/index.js'
import { everyCommand, fixture, isolation } from './start.js'
import { choose } from '../../../../scripts/testing.js'

export const scriptCore: URL = fixture('sandboxes/scripts/core.mjs')

const capability = {
  ...everyCommand,
  permissions: [...everyCommand.permissions, 'allow-numbers', 'allow-call-frontend'],
}

export const scriptSandboxes: [name: string, sandbox: Sandbox][] = choose(
  [
    ['a thread', 'quickjs'],
    ['a process', { kind: 'quickjs', process: true }],
  ],
  0,
)

export const scriptApps: [name: string, app: Partial<BusOptions>][] = choose([
  ['brownfield', {}],
  ['isolation', isolation('judge', {}, capability)],
])
