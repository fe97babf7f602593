// Permissions, options, grants of dialogs, and the end of a bus.
import * as plugins from '../../src/index.js'
import { rows } from '../../../../scripts/testing.js'
import { getLife } from '../../src/shared/plugin.js'
import { type Bus, createBus, defineCore } from '@sallyport/core'
import { getPathRules, PathGrants } from '@sallyport/paths/internal'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, describe } from 'vitest'
import {
  clipboardManager,
  dialog,
  log,
  notification,
  opener,
  os,
  process as processPlugin,
  shell,
  store,
} from '../../src/index.js'
import { OFFICIAL_PLUGINS } from '../../src/shared/official-permissions.js'

let bus: Bus | undefined
afterEach(() => bus?.close())

test('every permission of the official plugins can be named', async () => {
  const plugins = [
    store(),
    log(),
    os(),
    opener(),
    shell(),
    dialog(),
    notification(),
    clipboardManager(),
    processPlugin(),
  ]
  const allow = plugins.flatMap(({ name }) => [
    `${name}:default`,
    ...OFFICIAL_PLUGINS[name]!.commands.split(' ').flatMap(each => [`${name}:allow-${each.replaceAll('_', '-')}`]),
  ])
  bus = await createBus({ core: defineCore({ plugins }), log: false })
  await expect(bus.connect('main', { allow })).resolves.toBeDefined()
})

test('a picked path is granted to the frontend that asked, as a literal, and not to the next one with its label', async () => {
  const picked = join(tmpdir(), 'a*')
  const rules = getPathRules()
  const core = defineCore({
    plugins: [dialog({ open: () => picked })],
    commands: { granted: ({ path }, ctx) => ctx.state(PathGrants).includes(getLife(ctx), String(path), rules) },
  })
  bus = await createBus({ core, log: false })
  const allow = ['dialog:default', 'granted']
  const [main, other] = [await bus.connect('main', { allow }), await bus.connect('other', { allow })]
  expect(await main.invoke('plugin:dialog|open', { options: {} })).toBe(picked)
  expect(await main.invoke('granted', { path: picked })).toBe(true)
  expect(await main.invoke('granted', { path: join(tmpdir(), 'ab') })).toBe(false)
  expect(await other.invoke('granted', { path: picked })).toBe(false)
  await main.close()
  const next = await bus.connect('main', { allow })
  expect(await next.invoke('granted', { path: picked })).toBe(false)
})

test('a closed bus leaves no timer', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stores-'))
  const count = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const before = count()
  const plugins = [store({ directory }), log(), dialog({ message: () => new Promise<never>(() => {}) })]
  bus = await createBus({ core: defineCore({ plugins }), log: false })
  const client = await bus.connect('main', { allow: ['store:default', 'log:default', 'dialog:default'] })
  const rid = await client.invoke('plugin:store|load', { path: 'a.json', options: { autoSave: 100_000 } })
  await client.invoke('plugin:store|set', { rid, key: 'a', value: 1 })
  await client.invoke('plugin:log|log', { level: 3, message: 'a' })
  client.invoke('plugin:dialog|message', { message: 'a' }).catch(() => {})
  await bus.close()
  expect(count()).toBeLessThanOrEqual(before)
  await rm(directory, { recursive: true })
})

// Each plugin's function refuses an option that it does not have: a misspelt one would have no effect.
describe('options', () => {
  const { os: _withoutOptions, ...functions } = plugins

  test('each function names the options that it has', () =>
    rows(functions as unknown as Record<string, (options: object) => unknown>)((create, name) => {
      expect(() => create({ ofNobody: 1 })).toThrow(`${name}(): unknown option "ofNobody": use `)
      expect(() => create({})).not.toThrow()
    }))

  const create = {
    'store(): directory': (directory: unknown) => plugins.store({ directory } as never),
    'fs(): own': (own: unknown) => plugins.fs({ own } as never),
  }

  test('a directory is an absolute path or a file: URL', () =>
    rows(create)((open, option) => {
      for (const right of ['/data', new URL('file:///data/')]) expect(() => open(right)).not.toThrow()
      for (const wrong of ['data', 1, new URL('http://localhost/data/')])
        expect(() => open(wrong)).toThrow(`${option} must be an absolute path or a file: URL`)
    }))
})
