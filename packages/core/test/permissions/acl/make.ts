// Creates authorities for the tests. Their commands never run.
import type { AclInput, Capability } from '../../../src/acl/types.js'
import { type Authority, createAuthority } from '../../../src/acl/authority.js'
import type { AclDeps } from '../../../src/acl/catalogue.js'
import { getCommandIdentities, getPermissions } from '../../../src/acl/identifier.js'
import type { RunnableCommand } from '../../../src/rpc/call-table.js'
import type { BusError } from '@sallyport/protocol/internal/errors'

const run = (): void => {}
const commands = { greet: run, add: run, save_file: run }
export const core = {
  commands,
  plugins: [
    { name: 'fs', commands: { read_file: run, read_dir: run, write_file: run } },
    { name: 'bare', commands: { go: run } },
  ],
}

const inCore = (plugin: string, name: string): RunnableCommand => ({
  method: `plugin:${plugin}|${name}`,
  owner: 'core',
  ...getPermissions(name, `core:${plugin}`),
  run,
})
const coreCommands = [
  inCore('event', 'emit'),
  inCore('app', 'version'),
  inCore('resources', 'close'),
  inCore('path', 'join'),
  inCore('window', 'get_all_windows'),
  inCore('window', 'set_title'),
]
export const registry: ReadonlyMap<string, RunnableCommand> = new Map(
  [...getCommandIdentities(core).map(name => ({ ...name, run })), ...coreCommands].map(command => [
    command.method,
    command,
  ]),
)

export interface Made {
  authority: Authority
  warnings: string[]
  /** Returns the error of a denied call. */
  check(label: string, method: string): BusError | undefined
  may(label: string, method: string): boolean
}

/** The types allow invalid values, because tests pass them. */
export interface MakeOptions extends Partial<Omit<AclInput, 'capabilities' | 'permissionFiles' | 'manifests'>> {
  capabilities?: readonly unknown[]
  /** By plugin; `app` for the app's. */
  permissions?: Readonly<Record<string, unknown>>
  manifests?: unknown
}

export function toAcl({ capabilities = [], permissions = {}, manifests, ...more }: MakeOptions): AclInput {
  return {
    capabilities: capabilities.map((value, index) => ({ value, from: `caps/${index}.json` })),
    permissionFiles: Object.entries(permissions).map(([plugin, value]) => ({
      value,
      from: `permissions/${plugin}.toml`,
      plugin: plugin === 'app' ? undefined : plugin,
    })),
    manifests: manifests === undefined ? undefined : { value: manifests, from: 'acl-manifests.json' },
    platform: 'linux',
    ...more,
  }
}

export function make({ scopeChecks, ...options }: MakeOptions & Pick<AclDeps, 'scopeChecks'> = {}): Made {
  const warnings: string[] = []
  const acl = toAcl(options)
  const warn = (text: string): void => void warnings.push(text)
  const authority = createAuthority({
    acl,
    commands: registry.values(),
    pluginFiles: [],
    warn,
    ...(scopeChecks && { scopeChecks }),
  })
  const check = (label: string, method: string): BusError | undefined =>
    authority.getPermitsOfLatest(label).check(registry.get(method)!)
  return { authority, warnings, check, may: (label, method) => check(label, method) === undefined }
}

export const capability = (permissions: Capability['permissions'], more: Partial<Capability> = {}): Capability => ({
  identifier: 'main',
  windows: ['main'],
  permissions,
  ...more,
})

export const source = (value: unknown): { value: unknown; from: string } => ({ value, from: 'bus.addCapability' })
