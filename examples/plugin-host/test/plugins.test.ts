// Plugins that come, go and misbehave, each in a real process behind a real gate.
import { createBus } from '@sallyport/core'
import type { Ask } from '@sallyport/plugin-host'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPluginHost } from '../plugin-host.js'

let root: string
let host: Awaited<ReturnType<typeof createPluginHost>>
let answer: Awaited<ReturnType<Ask>>
const stopped: string[] = []
const notices: string[] = []

beforeEach(async () => {
  // Here, so that plugins find the packages that they import.
  root = await mkdtemp(join(import.meta.dirname, 'tmp-'))
  await cp(join(import.meta.dirname, 'plugins'), join(root, 'plugins'), { recursive: true })
  process.env['PLUGIN_STORAGE'] = join(root, 'storage')
  answer = true
  stopped.length = notices.length = 0
  host = await createPluginHost({
    directory: join(root, 'plugins'),
    grants: join(root, 'grants.json'),
    enable: () => false,
    ask: () => answer,
    onStopped: (name, why) => stopped.push(`${name}: ${why}`),
    onNotice: (name, text) => notices.push(`${name}: ${text}`),
  })
})
afterEach(async () => {
  await host.close()
  await rm(root, { recursive: true })
})

test('a plugin keeps its storage when it is disabled and enabled again, and can use its grants', async () => {
  const { plugins, transform } = host
  await plugins.enable('remembers')
  expect(await transform('one')).toEqual({ remembers: 'failed to' }) // there is no such file yet
  expect(await transform('two')).toEqual({ remembers: 'one' })
  expect(await readFile(join(root, 'storage/remembers/last.txt'), 'utf8')).toBe('two')
  expect(notices).toEqual([expect.stringMatching(/^remembers: [\w-]+$/), notices[0]])

  await plugins.disable('remembers')
  await plugins.disable('remembers')
  expect(await transform('alone')).toEqual({})

  answer = { permissions: [] }
  await writeFile(join(root, 'plugins/remembers/new.txt'), '')
  await plugins.enable('remembers')
  expect(await transform('three')).toEqual({ remembers: 'not allowed' })
  expect(stopped).toEqual([])
})

test('a plugin that reloads runs in a new process, with its permissions', async () => {
  const { plugins, transform } = host
  await plugins.enable('remembers')
  await transform('before')
  await plugins.reload('remembers')
  expect(await transform('after')).toEqual({ remembers: 'before' })
  expect(notices).toHaveLength(2)
  expect(notices[1]).not.toBe(notices[0])
  expect(plugins.list()).toContainEqual(
    expect.objectContaining({ label: 'remembers', state: 'running', sandbox: 'process' }),
  )
})

test('a plugin that never answers is stopped, and starts again', async () => {
  const { plugins, transform } = host
  await plugins.enable('remembers')
  expect(await transform('spin')).toEqual({})
  expect(stopped).toEqual(['remembers: "transform" took longer than 2000 ms'])
  await plugins.enable('remembers')
  expect(await transform('four')).toEqual({ remembers: 'spin' })
})

test('a plugin that throws while it loads has failed', async () => {
  await expect(host.plugins.enable('dies')).rejects.toThrow('born dead')
  expect(host.plugins.list()).toContainEqual(expect.objectContaining({ label: 'dies', state: 'failed' }))
  expect(await host.transform('five')).toEqual({})
})

test('a directory without a manifest is listed, and has its error', () => {
  expect(host.plugins.list()).toContainEqual(
    expect.objectContaining({
      label: 'notifies',
      state: 'invalid',
      error: expect.objectContaining({ code: 'InvalidPlugin' }),
    }),
  )
})

test('a plugin whose host forgets `allow` is denied, and the error says what to add', async () => {
  const bus = await createBus({ core: new URL('../core.js', import.meta.url), log: false })
  try {
    await bus.open('forgotten', new URL('plugins/notifies/main.js', import.meta.url), { sandbox: 'process' })
    await expect(bus.call('forgotten', 'notify')).rejects.toMatchObject({
      reason: 'Denied',
      message: expect.stringContaining(
        'Command notify not allowed by ACL: add "notify" to the option "allow" of the frontend "forgotten"',
      ),
    })
  } finally {
    await bus.close()
  }
})
