// Tauri's own fixtures resolve as Tauri's own snapshots say. They are in a directory next to the repository.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import type { AclInput, AclSource, PermissionFileSource, Platform } from '../../../src/acl/types.js'
import { getAccess, getCommandScope, resolveAll, type ResolvedCapability } from '../../../src/acl/resolve.js'
import { createCatalogue, type ScopeValues } from '../../../src/acl/catalogue.js'
import { rows } from '../../../../../scripts/testing.js'
import { readRustDebug, type RustValue, type Variant } from './rust-debug.js'

const directory = new URL('../../../../../../shared/corpora/tauri-acl/fixtures/', import.meta.url)
const present = existsSync(directory)
if (!present) console.warn('../shared/corpora/tauri-acl is missing: the fixtures of Tauri are not tested')

const SPECIFIC = 'platform-specific-permissions'
const PLATFORMS: Platform[] = ['linux', 'macOS', 'windows']

it(`the fixtures in ../shared/corpora/tauri-acl are ${present ? 'tested' : 'missing'}`, () => {
  expect(existsSync(directory)).toBe(present)
})

describe.runIf(present)("Tauri's fixtures", () => {
  const names = present ? readdirSync(new URL('capabilities/', directory)) : []
  const cases = names.flatMap((name): [string, Platform][] =>
    name === SPECIFIC ? PLATFORMS.map(platform => [name, platform]) : [[name, 'linux']],
  )

  it('are complete', () => expect(cases.length).toBeGreaterThanOrEqual(10))

  it('each project resolves on each system as its snapshot says', () =>
    rows(cases)((name, platform) => {
      const snapshot = readSnapshot(name, platform)
      expect(asTauri(resolveFixture(name, platform))).toEqual(snapshot)
    }))

  it('each label gets the permissions that the snapshot allows', () =>
    rows(cases)((name, platform) => {
      const { allowed, global } = readSnapshot(name, platform)
      const capabilities = resolveFixture(name, platform)
      for (const label of ['main', 'external', 'child1', 'other']) {
        const access = getAccess(label, capabilities)
        const expected = Object.entries(allowed).flatMap(([command, entries]) => {
          const matching = entries.filter(
            ({ context, windows, webviews }) => context === 'local' && [...windows, ...webviews].includes(label),
          )
          return matching.length === 0 ? [] : [[command, mergeScopes(matching.flatMap(({ scope }) => scope ?? []))]]
        })
        const scopes = [...access.allowed].map(([command, grants]) => [command, toValues(getCommandScope(grants))])
        expect(Object.fromEntries(scopes)).toEqual(Object.fromEntries(expected))
        // Tauri's global scope is the whole app's; ours is that of the capabilities that match the label.
        for (const [key, { allow, deny }] of access.global) {
          expect(global[key]!.allow).toEqual(expect.arrayContaining([...allow]))
          expect(global[key]!.deny).toEqual(expect.arrayContaining([...deny]))
        }
      }
    }))
})

interface Entry {
  context: string
  windows: string[]
  webviews: string[]
  scope: ScopeValues | undefined
}

interface TauriResolved {
  allowed: Record<string, Entry[]>
  denied: Record<string, Entry[]>
  /** Scopes of all commands. */
  commandScopes: ScopeValues[]
  global: Record<string, ScopeValues>
}

function resolveFixture(name: string, platform: Platform): ResolvedCapability[] {
  const at = new URL(`capabilities/${name}/`, directory)
  const plugins = JSON.parse(readFileSync(new URL('required-plugins.json', at), 'utf8')) as string[]
  const permissionFiles = plugins.flatMap(plugin =>
    readAll(new URL(`plugins/${plugin}/`, directory), /\.toml$/).map((source): PermissionFileSource => ({
      ...source,
      plugin,
    })),
  )
  const acl: AclInput = {
    ...{ capabilities: [], permissionFiles, manifests: undefined },
    platform,
  }
  const catalogue = createCatalogue({ acl, commands: [], pluginFiles: [] })
  const warn = (text: string): void => expect.fail(text)
  const options = {
    catalogue,
    commands: [],
    platform,
    ignored: 'none' as const,
    absent: new Set<string>(),
    allowLists: new Map(),
    warn,
  }
  return resolveAll(readAll(at, /^cap/), options)
}

const readAll = (at: URL, names: RegExp): AclSource[] =>
  readdirSync(at)
    .filter(name => names.test(name))
    .toSorted()
    .map(name => {
      const text = readFileSync(new URL(name, at), 'utf8')
      return { from: name, value: name.endsWith('.toml') ? parse(text) : (JSON.parse(text) as unknown) }
    })

/** In the form of Tauri's `Resolved`. */
function asTauri(capabilities: readonly ResolvedCapability[]): TauriResolved {
  const resolved: TauriResolved = { allowed: {}, denied: {}, commandScopes: [], global: {} }
  const scopes = new Set<ScopeValues>()
  for (const { capability, permissions, globalScopes } of capabilities.filter(each => each.isActive)) {
    const { local = true, remote, windows = [], webviews = [] } = capability
    const contexts = [...(local ? ['local'] : []), ...(remote?.urls ?? [])]
    for (const { allow, deny, scope } of permissions) {
      const entries = contexts.map(context => ({
        context,
        windows: windows.toSorted(),
        webviews: webviews.toSorted(),
        scope,
      }))
      for (const command of allow) (resolved.allowed[command] ??= []).push(...entries)
      for (const command of deny) (resolved.denied[command] ??= []).push(...entries)
      if (scope) scopes.add(scope)
    }
    for (const { key, scope } of globalScopes) {
      resolved.global[key] = mergeScopes([...(resolved.global[key] ? [resolved.global[key]] : []), scope])
    }
  }
  resolved.commandScopes = [...scopes]
  return resolved
}

function readSnapshot(name: string, platform: Platform): TauriResolved {
  const file = `${name === SPECIFIC ? `${platform}/` : ''}acl_tests__tests__${name}.snap`
  const text = readFileSync(new URL(`snapshots/${file}`, directory), 'utf8')
  const { fields } = readRustDebug(text.slice(text.indexOf('\nResolved'))) as Variant
  const { allowed_commands, denied_commands, command_scope, global_scope } = fields as Record<
    string,
    Map<string, RustValue>
  >
  const scopes = new Map([...command_scope!].map(([id, scope]) => [id, scopeFrom(scope)]))
  const entries = (commands: Map<string, RustValue>): Record<string, Entry[]> =>
    Object.fromEntries(
      [...commands].map(([command, list]) => [command, (list as Variant[]).map(each => entryFrom(each, scopes))]),
    )
  // Empty scopes are ignored: Tauri's snapshot for Linux has one of a permission that it omits otherwise.
  const global = [...global_scope!].map(([key, scope]): [string, ScopeValues] => [key, scopeFrom(scope)])
  return {
    allowed: entries(allowed_commands!),
    denied: entries(denied_commands!),
    commandScopes: [...scopes.values()],
    global: Object.fromEntries(global.filter(([, { allow, deny }]) => allow.length + deny.length > 0)),
  }
}

function entryFrom({ fields }: Variant, scopes: ReadonlyMap<string, ScopeValues>): Entry {
  const { context, windows, webviews, scope_id } = fields as Record<string, RustValue>
  const originals = (patterns: RustValue): string[] =>
    (patterns as Variant[]).map(({ fields: glob }) => String(glob!['original']))
  const { fields: remote } = context as Variant
  const [id] = (scope_id as Variant).items ?? []
  return {
    // A pattern is shown as its parts and, last, as it was written.
    context: remote ? String((remote['url'] as Variant).items!.at(-1)) : 'local',
    windows: originals(windows!),
    webviews: originals(webviews!),
    scope: id === undefined ? undefined : scopes.get(String(id)),
  }
}

function scopeFrom(scope: RustValue): ScopeValues {
  const { allow, deny } = (scope as Variant).fields as Record<string, RustValue[]>
  return { allow: allow!.map(plain), deny: deny!.map(plain) }
}

/** `Map({ "path": String("$HOME") })` */
function plain(value: RustValue): unknown {
  const [inner] = (value as Variant).items!
  if (inner instanceof Map) return Object.fromEntries([...inner].map(([key, member]) => [key, plain(member)]))
  return inner
}

const mergeScopes = (scopes: readonly ScopeValues[]): ScopeValues => ({
  allow: scopes.flatMap(({ allow }) => allow),
  deny: scopes.flatMap(({ deny }) => deny),
})

const toValues = ({ allow, deny }: ScopeValues): ScopeValues => ({ allow: [...allow], deny: [...deny] })
