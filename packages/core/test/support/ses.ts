// The core and the patterns of the tests of scripts (`sandbox: 'ses'`).
import type { BusOptions, Sandbox } from '../../src/index.js'
import { everyCommand, fixture, isolation } from './start.js'

export const sesCore: URL = fixture('sandboxes/ses/core.mjs')

const capability = {
  ...everyCommand,
  permissions: [...everyCommand.permissions, 'allow-numbers', 'allow-call-frontend'],
}

export const sesSandboxes: [name: string, sandbox: Sandbox][] = [
  ['a thread', 'ses'],
  ['a process', { kind: 'ses', process: true }],
]

export const sesApps: [name: string, app: NonNullable<BusOptions['app']>][] = [
  ['brownfield', {}],
  ['isolation', isolation('judge', {}, capability)],
]
