// The permissions of Tauri's official plugins: each identifier loads, and means the commands that it means in Tauri.
import { readFileSync } from 'node:fs'
import { createBus, defineCore, plugin } from '@sallyport/core'
import { explainCapabilities } from '@sallyport/core/acl'
import { describe, expect, test } from 'vitest'
import { createManifests, getPermissionFile } from '../../src/shared/permissions.js'
import { writeProject } from './project.js'
import { rows } from '../../../../scripts/testing.js'

/** `+command` for an allowed one and `-command` for a denied one, in one string, by plugin and identifier. */
type Commands = Record<string, Record<string, string>>

const expected = JSON.parse(readFileSync(new URL('official-commands.json', import.meta.url), 'utf8')) as Commands
const names = Object.keys(expected)

test('all official plugins are known', () => {
  expect(Object.keys(createManifests())).toEqual(names)
  expect(names.length).toBeGreaterThanOrEqual(26)
})

describe('without manifests of its own, a project can name', () => {
  test('each permission of each plugin, with the commands of Tauri', () =>
    rows(names)(async name => {
      const identifiers = expected[name]!
      const commands = new Set(Object.values(identifiers).flatMap(text => text.match(/\w+/g) ?? []))
      const capabilities = Object.keys(identifiers).map(identifier => ({
        ...{ identifier, windows: [identifier] },
        permissions: [`${name}:${identifier}`],
      }))
      const handlers = Object.fromEntries([...commands].map(command => [command, () => null]))
      const core = defineCore({ plugins: [plugin(name, { commands: handlers })] })
      const { frontends } = await explainCapabilities({ config: writeProject(capabilities), core })
      const resolved = frontends.map(({ label, commands: explained }) => {
        const marks = explained.flatMap(({ command, access, by }) => {
          const method = command.replace(`plugin:${name}|`, '')
          return by.some(each => each.capability === label) ? [`${access === 'denied' ? '-' : '+'}${method}`] : []
        })
        return [label, marks.toSorted().join(' ')]
      })
      expect(Object.fromEntries(resolved)).toEqual(identifiers)
    }))

  test('permissions of plugins and commands that core does not have', async () => {
    const permissions = ['log:default', 'cli:default', 'os:allow-platform', 'positioner:default', 'fs:scope']
    const config = writeProject([{ identifier: 'main', windows: ['main'], permissions }])
    const { warnings } = await explainCapabilities({ config, core: defineCore({ commands: { greet: () => 'Hello' } }) })
    expect(warnings).toEqual([])
  })
})

test('a misspelt permission of an official plugin is an error', async () => {
  const config = writeProject([{ identifier: 'main', windows: ['main'], permissions: ['store:defaults'] }])
  await expect(explainCapabilities({ config, core: defineCore({}) })).rejects.toThrow(
    'unknown permission defaults for store (did you mean "store:default"?)',
  )
})

test.each(['brownfield', 'isolation'])('a bus starts without Cargo, and app commands stay open (%s)', async use => {
  const permissions = ['core:default', 'log:default', 'store:default', 'cli:default', 'fs:default', 'opener:default']
  const config = writeProject([{ identifier: 'main', windows: ['main'], permissions }])
  const core = defineCore({
    commands: { greet: () => 'Hello' },
    plugins: [plugin('log', { commands: { log: () => 1 } })],
  })
  const pattern = use === 'isolation' ? { isolation: {} } : {}
  const bus = await createBus({ config, core, log: false, ...pattern })
  try {
    const client = await bus.connect('main')
    expect(await client.invoke('greet')).toBe('Hello')
    expect(await client.invoke('plugin:log|log')).toBe(1)
    const other = await bus.connect('other')
    expect(await other.invoke('greet')).toBe('Hello')
    await expect(other.invoke('plugin:log|log')).rejects.toMatchObject({ reason: 'Denied' })
  } finally {
    await bus.close()
  }
})

test("a plugin's own definition replaces the manifest's", async () => {
  const config = writeProject([{ identifier: 'main', windows: ['main'], permissions: ['log:default'] }])
  const log = plugin('log', {
    commands: { log: () => 1, read: () => 2 },
    permissions: [{ default: { permissions: ['allow-read'] } }],
  })
  const { frontends } = await explainCapabilities({ config, core: defineCore({ plugins: [log] }) })
  const commands = frontends[0]!.commands.filter(({ command }) => command.startsWith('plugin:log|'))
  expect(commands.map(({ command, access }) => [command, access])).toEqual([
    ['plugin:log|log', 'closed'],
    ['plugin:log|read', 'allowed'],
  ])
})

describe('the default of fs', () => {
  const { permission } = getPermissionFile('fs')
  const getScope = (name: string) => permission.find(({ identifier }) => identifier === name)?.scope?.allow

  test('reads in the directories of the app, as its documentation says', () => {
    expect(getScope('read-app-specific-dirs-recursive')).toEqual(getScope('scope-app-recursive'))
    expect(getScope('create-app-specific-dirs')).toEqual(getScope('scope-app-index'))
    expect(getScope('scope-app-recursive')).toContain('$APPDATA/**')
  })

  test('denies nothing: there is no webview with data of its own', () => {
    const denials = permission.filter(({ identifier }) => identifier.startsWith('deny-webview-data'))
    expect(denials.map(({ scope }) => scope)).toEqual([undefined, undefined])
  })
})
