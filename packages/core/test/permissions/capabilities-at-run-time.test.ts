// Capabilities that are added and removed while frontends run, and the scopes that handlers get, over real workers.
import { setDevelopment } from '@sallyport/protocol/internal/util'
import { afterEach, describe, expect, test } from 'vitest'
import type { Bus, Capability } from '../../src/index.js'
import { fixture, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

const READ = 'plugin:files|read_text'
const WRITE = 'plugin:files|write_text'
const DENIED = { code: -32001, reason: 'Denied' }

const bus = (use: 'brownfield' | 'isolation', capabilities: Capability[] = []): Promise<Bus> =>
  start({ core: fixture('permissions/scoped.mjs'), ...(use === 'isolation' && { isolation: {} }), capabilities })

const reader: Capability = {
  identifier: 'reader',
  windows: ['main'],
  permissions: ['allow-scope', { identifier: 'files:allow-read-text', allow: ['/tmp/**'], deny: ['/tmp/x'] }],
}

describe.each(choose(['brownfield', 'isolation'] as const))('%s', use => {
  test('an added capability applies from the next call until it is removed', async () => {
    const running = await bus(use)
    const [main, other] = [await running.connect('main'), await running.connect('other')]
    await expect(main.invoke(READ)).rejects.toMatchObject(DENIED)
    await running.addCapability(reader)
    const global = { allow: [], deny: [] }
    expect(await main.invoke(READ)).toEqual({ allow: ['/tmp/**'], deny: ['/tmp/x'], global })
    expect(await main.invoke('scope')).toEqual({ allow: [], deny: [], global })
    await expect(other.invoke(READ)).rejects.toMatchObject(DENIED)
    // A capability names main now, so that it has only what this allows.
    await expect(main.invoke('greet')).rejects.toMatchObject(DENIED)
    expect(await other.invoke('greet')).toBe('Hello!')
    await running.removeCapability('reader')
    // Removing a capability allows nothing.
    for (const command of [READ, 'greet']) await expect(main.invoke(command)).rejects.toMatchObject(DENIED)
  })

  test('trusted code that a removed capability named stays limited after a restart of core', async () => {
    const running = await bus(use, [{ ...reader, windows: ['first'] }])
    const clients = [await running.connect('first'), await running.connect('main'), await running.connect('second')]
    await running.addCapability({ ...reader, identifier: 'more' })
    await running.removeCapability('more')
    // A second capability with this identifier must not make up for the first removal.
    await running.addCapability({ ...reader, identifier: 'more', windows: ['second'] })
    for (const identifier of ['more', 'reader']) await running.removeCapability(identifier)
    const free = await running.connect('free')
    const check = async (): Promise<void> => {
      for (const client of clients) await expect(client.invoke('greet')).rejects.toMatchObject(DENIED)
      expect(await free.invoke('greet')).toBe('Hello!')
    }
    await check()
    await running.reload('core')
    await check()
  })

  test('a removal right after an addition holds, also for trusted code and the next core', async () => {
    const running = await bus(use)
    const main = await running.connect('main')
    await Promise.all([running.addCapability(reader), running.removeCapability('reader')])
    await running.reload('core')
    for (const command of [READ, 'greet']) await expect(main.invoke(command)).rejects.toMatchObject(DENIED)
    await expect(running.removeCapability('reader')).rejects.toThrow('no capability "reader"')
    await running.addCapability(reader)
  })

  test('a change is made although the one before was refused', async () => {
    const running = await bus(use, [reader])
    const changes = [running.addCapability(reader), running.removeCapability('reader')]
    expect(await Promise.allSettled(changes)).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled' }])
    await running.addCapability(reader)
  })

  test('an added capability is kept as it was, for the next core', async () => {
    const running = await bus(use)
    const main = await running.connect('main', { allow: [] })
    const capability = { identifier: 'a', windows: ['main'], permissions: ['allow-scope'] }
    await running.addCapability(capability)
    capability.permissions.push('allow-greet')
    await running.reload('core')
    await main.invoke('scope')
    await expect(main.invoke('greet')).rejects.toMatchObject(DENIED)
  })

  test('an added deny overrides what was allowed, also events', async () => {
    const running = await bus(use, [{ ...reader, windows: ['*'] }])
    const [main, editor] = [await running.connect('main'), await running.connect('editor')]
    await running.addCapability({
      identifier: 'no-editors',
      windows: ['editor'],
      permissions: ['files:deny-read-text', 'core:event:deny-emit'],
    })
    await expect(editor.invoke(READ)).rejects.toMatchObject(DENIED)
    await expect(editor.invoke('plugin:event|emit', { event: 'x' })).rejects.toMatchObject(DENIED)
    expect(await main.invoke(READ)).toMatchObject({ allow: ['/tmp/**'] })
    await running.removeCapability('no-editors')
    expect(await editor.invoke(READ)).toMatchObject({ allow: ['/tmp/**'] })
    await editor.invoke('plugin:event|emit', { event: 'x' })
  })

  test('an invalid capability is rejected by name, and changes nothing', async () => {
    const running = await bus(use, [reader])
    const main = await running.connect('main')
    const refused = (capability: unknown): Promise<string> =>
      running.addCapability(capability as Capability).then(
        () => 'taken',
        (error: unknown) => (error as Error).message,
      )
    const permissions = ['files:allow-write-text', 'files:allow-reed-text']
    expect(await refused({ identifier: 'writer', windows: ['main'], permissions })).toBe(
      'bus.addCapability: permissions[1]: capability "writer": unknown permission allow-reed-text for files (did you mean "files:allow-read-text"?)',
    )
    expect(await refused(reader)).toMatch(/identifier `reader` already exists: in .*capabilities\[0\]/)
    await running.addCapability({ ...reader, identifier: 'twice', windows: ['other'] })
    const twice = 'bus.addCapability: identifier: capability with identifier `twice` already exists'
    expect(await refused({ ...reader, identifier: 'twice' })).toBe(twice)
    expect(await refused({ ...reader, identifier: 'x', windos: [] })).toBe(
      'bus.addCapability: unknown key "windos" (did you mean "windows"?)',
    )
    expect(
      await refused({ ...reader, identifier: 'x', permissions: [{ identifier: 'allow-scope', deny: [NaN] }] }),
    ).toBe('bus.addCapability: permissions[0].deny[0]: must be a JSON value: got NaN')
    await expect(main.invoke(WRITE)).rejects.toMatchObject(DENIED)
    await expect(running.removeCapability('readr')).rejects.toThrow('no capability "readr" (did you mean "reader"?)')
    expect(await main.invoke(READ)).toMatchObject({ allow: ['/tmp/**'] })
  })

  test('frontends cannot change capabilities', async () => {
    const main = await (await bus(use)).connect('main')
    for (const name of ['add_capability', 'remove_capability', 'own_rights']) {
      const call = main.invoke(`plugin:acl|${name}`, { capability: reader, identifier: 'reader', label: 'main' })
      await expect(call).rejects.toMatchObject({ reason: 'MethodNotFound' })
    }
  })

  test('the permissions of a plugin exist, and its setup gets its global scope', async () => {
    const permissions = ['files:default', 'files:no-secrets', 'allow-known']
    const main = await (await bus(use, [{ identifier: 'main', windows: ['main'], permissions }])).connect('main')
    expect(await main.invoke(READ)).toEqual({ allow: ['$APP/**'], deny: [], global: { allow: [], deny: ['secret'] } })
    await expect(main.invoke(WRITE)).rejects.toMatchObject(DENIED)
    expect(await main.invoke('known')).toEqual({ allow: [], deny: ['secret'] })
  })
})

describe('in production', () => {
  afterEach(() => setDevelopment(true))

  test("a denial has only Tauri's message", async () => {
    setDevelopment(false)
    const main = await (await bus('isolation', [reader])).connect('main')
    await expect(main.invoke(WRITE)).rejects.toMatchObject({
      message: 'Command plugin:files|write_text not allowed by ACL',
    })
  })
})
