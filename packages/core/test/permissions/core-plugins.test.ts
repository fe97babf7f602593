// The core plugins as @tauri-apps/api calls them, and the permissions that they need.
import { homedir } from 'node:os'
import { resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTestBus } from '@sallyport/core/testing'
import { describe, expect, test } from 'vitest'
import { BaseDirectory, type BusOptions, type Client } from '../../src/index.js'
import { fixture, start } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const core = fixture('features.mjs')
const windows = { identifier: 'windows', windows: ['*'], permissions: ['core:default', 'allow-home'] }

const connect = async (more: Partial<BusOptions> = {}): Promise<Client> =>
  (await start({ core, capabilities: [windows], ...more })).connect('one')

describe('path', () => {
  test('resolves directories, and joins, splits and normalizes paths', async () => {
    const client = await connect({ config: { identifier: 'com.example.app' } })
    const path = (name: string, args: Record<string, unknown>): Promise<unknown> =>
      client.invoke(`plugin:path|${name}`, args)
    expect(await path('resolve_directory', { directory: 21 })).toBe(homedir())
    expect(await path('resolve_directory', { directory: 21, path: 'x' })).toBe(`${homedir()}${sep}x`)
    expect(await path('resolve_directory', { directory: 14 })).toMatch(/com\.example\.app$/)
    expect(await path('join', { paths: ['a', '..', 'b'] })).toBe('b')
    expect(await path('resolve', { paths: ['/a', 'b'] })).toMatch(/a.b$/)
    expect(await path('normalize', { path: 'a/../b' })).toBe('b')
    expect(await path('dirname', { path: '/a/b' })).toMatch(/^[/\\]a$/)
    expect(await path('basename', { path: 'a/b.txt', ext: '.txt' })).toBe('b')
    expect(await path('basename', { path: 'a/b.txt', ext: null })).toBe('b.txt')
    expect(await path('extname', { path: 'a/b.txt' })).toBe('txt')
    expect(await path('is_absolute', { path: 'a' })).toBe(false)
    expect(await client.invoke('home')).toEqual([`${homedir()}${sep}x`, `${homedir()}${sep}x`])
  })

  test('knows the directory of resources only by an option, because scopes for it can allow writing', async () => {
    const resources = (client: Client): Promise<unknown> =>
      client.invoke('plugin:path|resolve_directory', { directory: BaseDirectory.Resource })
    await expect(resources(await connect())).rejects.toThrow('unknown path')
    const directory = fixture('host/dev/')
    for (const location of [directory, fileURLToPath(directory)])
      expect(await resources(await connect({ resources: location }))).toBe(resolve(fileURLToPath(directory)))
    await expect(start({ core, resources: fixture('none/') })).rejects.toThrow(
      /^createBus: resources: there is no file /,
    )
    const { client, close } = await createTestBus({ resources: directory })
    expect(await resources(client)).toBe(resolve(fileURLToPath(directory)))
    await close()
  })

  test("rejects with Tauri's messages", async () => {
    const client = await connect()
    const fails: [string, Record<string, unknown>, string][] = [
      ['extname', { path: 'a' }, 'path does not have an extension'],
      ['extname', {}, 'invalid args `path` for command `extname`: command extname missing required key path'],
      [
        'join',
        { paths: 'a' },
        'invalid args `paths` for command `join`: invalid type: string "a", expected a sequence of strings',
      ],
      [
        'resolve_directory',
        { directory: 99 },
        'invalid args `directory` for command `resolve_directory`: invalid value: 99, expected one of 1 to 23',
      ],
      [
        'normalize',
        { path: null },
        'invalid args `path` for command `normalize`: invalid type: null, expected a string',
      ],
    ]
    for (const [name, args, message] of fails) {
      await expect(client.invoke(`plugin:path|${name}`, args)).rejects.toMatchObject({ message })
    }
    await expect(client.invoke('plugin:path|extname', { path: 'a' })).rejects.toMatchObject({
      reason: 'CommandFailed',
      data: 'path does not have an extension',
    })
  })

  const long = 'a'.repeat(32 * 1024)
  const refused: [name: string, args: Record<string, unknown>][] = [
    ...['normalize', 'dirname', 'basename', 'extname', 'is_absolute', 'resolve_directory'].map(
      (name): (typeof refused)[number] => [name, { directory: 21, path: `${long}/` }],
    ),
    ...['join', 'resolve'].map((name): (typeof refused)[number] => [name, { paths: [long, '.'] }]),
    ...['join', 'resolve'].map((name): (typeof refused)[number] => [name, { paths: Array(1001).fill('') }]),
  ]
  test('refuses paths that would occupy core', () =>
    rows(refused)(async (name, args) => {
      const client = await connect()
      const message = expect.stringMatching(/: more than 1000 paths or 32768 characters$/) as string
      await expect(client.invoke(`plugin:path|${name}`, args)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message,
      })
    }))

  test('accepts the longest paths', async () => {
    const client = await connect()
    expect(await client.invoke('plugin:path|normalize', { path: long })).toBe(long)
    expect(await client.invoke('plugin:path|join', { paths: Array(1000).fill('a') })).toHaveLength(1999)
  })
})

describe('app', () => {
  test('returns the name, version and identifier of the application', async () => {
    const about = { productName: 'Notes', version: '1.2.3', identifier: 'com.example.notes' }
    const client = await connect({ config: about })
    const app = (name: string): Promise<unknown> => client.invoke(`plugin:app|${name}`)
    expect(await Promise.all(['name', 'version', 'identifier', 'bundle_type'].map(app))).toEqual([
      'Notes',
      '1.2.3',
      'com.example.notes',
      null,
    ])
    expect(await app('tauri_version')).toMatch(/^2\.\d+\.\d+$/)
  })

  test('accepts a listener of its plugin, which gets no events and leaves nothing open', async () => {
    const client = await connect()
    const handler = new client.Channel()
    await client.invoke('plugin:app|register_listener', { event: 'back-button', handler })
    for await (const message of handler) expect.unreachable(String(message))
    const args = { event: 'back-button', channelId: handler.id }
    expect(await client.invoke('plugin:app|remove_listener', args)).toBe(null)
    await expect(client.invoke('plugin:app|register_listener', { event: 'x', handler: 5 })).rejects.toMatchObject({
      reason: 'InvalidParams',
    })
  })
})

describe('windows and webviews', () => {
  test('are the open frontends', async () => {
    const bus = await start({ core, capabilities: [windows] })
    const [first, second] = [await bus.connect('one'), await bus.connect('two')]
    expect(await second.invoke('plugin:window|get_all_windows')).toEqual(['one', 'two'])
    expect(await first.invoke('plugin:webview|get_all_webviews')).toEqual([
      { windowLabel: 'one', label: 'one' },
      { windowLabel: 'two', label: 'two' },
    ])
    await first.close()
    await expect.poll(() => second.invoke('plugin:window|get_all_windows')).toEqual(['two'])
  })

  test('need a permission, as paths do; information about the app needs none, until one denies it', async () => {
    const permissions = ['core:path:allow-dirname', 'core:app:deny-version']
    const capabilities = [{ identifier: 'a', windows: ['one'], permissions }]
    const bus = await start({ core, capabilities })
    const [first, second] = [await bus.connect('one'), await bus.connect('two', { allow: [] })]
    for (const name of ['plugin:window|get_all_windows', 'plugin:path|join', 'plugin:app|version']) {
      await expect(first.invoke(name, { paths: [] })).rejects.toMatchObject({ reason: 'Denied' })
    }
    expect(await first.invoke('plugin:path|dirname', { path: 'a/b' })).toBe('a')
    expect(await second.invoke('plugin:app|version')).toBe('')
    await expect(second.invoke('plugin:path|join', { paths: ['a'] })).rejects.toMatchObject({ reason: 'Denied' })
  })
})
