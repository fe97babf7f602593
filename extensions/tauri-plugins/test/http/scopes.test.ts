// Scopes of the http plugin as capabilities give them.
import { type BusOptions, createBus, defineCore } from '@sallyport/core'
import { describe, expect, test } from 'vitest'
import { http } from '../../src/index.js'
import { connect, join } from './client.js'
import { serve } from './servers.js'
import { rows } from '../../../../scripts/testing.js'

const core = defineCore({ plugins: [http()] })
const withPermissions = (...permissions: object[]): BusOptions =>
  ({
    core,
    log: false,
    capabilities: [{ identifier: 'a', windows: ['*'], permissions }],
  }) as BusOptions

describe('the start is refused', () => {
  test('for an entry that is no pattern', () =>
    rows([
      ['a group in an allowed URL', { allow: ['http{s}?://a.com'] }, '`http{s}?://a.com` is not a valid URL pattern'],
      [
        'a group in a denied URL',
        { deny: [{ url: 'https://a.com/:id' }] },
        '`https://a.com/:id` is not a valid URL pattern',
      ],
      ['an entry without a URL', { allow: [{ path: '/a' }] }, 'an entry must be a URL pattern'],
    ])(async (_name, scope, text) => {
      await expect(createBus(withPermissions({ identifier: 'http:default', ...scope }))).rejects.toThrow(text)
    }))

  test('for wrong options', () =>
    rows([
      [{ privateNetworks: 'a' }, 'http(): privateNetworks must be an array of strings'],
      [{ proxies: ['socks5://user:geheim@a'] }, /^http\(\): proxies must be http: URLs, as in "[^"]*"$/],
      [{ danger: ['a'] }, '`a` is not a valid URL pattern'],
      [{ limits: { idleMs: 0 } }, 'http(): limits.idleMs must be milliseconds, from 1 to 2147483647'],
      [{ limits: { other: 1 } }, 'http(): unknown option "limits.other": use connections'],
      [{ other: 1 }, 'http(): unknown option "other"'],
    ])((options, text) => {
      expect(() => http(options as object)).toThrow(text)
    }))
})

test('a frontend that opens later with an invalid pattern is refused', async () => {
  const bus = await createBus({ core, log: false })
  try {
    await expect(
      bus.connect('late', { allow: [{ permission: 'http:default', allow: ['https://(a)'] }] }),
    ).rejects.toThrow('is not a valid URL pattern')
  } finally {
    await bus.close()
  }
})

test('without a pattern every URL is refused', async () => {
  const { request } = await connect([])
  await expect(request({ url: 'https://a.com/' })).rejects.toMatchObject({
    data: 'url not allowed on the configured scope: https://a.com/',
  })
})

test('labels do not share their scopes', async () => {
  const server = await serve((_request, response) => void response.end('ok'))
  const bus = await createBus({ core, log: false })
  try {
    const allow = [{ permission: 'http:default', allow: [`${server.origin}/*`] }]
    const [first, second] = [
      await bus.connect('one', { allow }),
      await bus.connect('other', { allow: ['http:default'] }),
    ]
    const fetch = { clientConfig: { method: 'GET', url: server.origin, headers: [], data: null } }
    await expect(first.invoke('plugin:http|fetch', fetch)).resolves.toBeTypeOf('number')
    await expect(second.invoke('plugin:http|fetch', fetch)).rejects.toMatchObject({
      data: `url not allowed on the configured scope: ${server.origin}/`,
    })
  } finally {
    await bus.close()
  }
})

test('a denial in one capability wins over all permissions of the label', async () => {
  const caller = await connect(['https://*'], { deny: ['https://a.com/private/*'] })
  await caller.bus.addCapability({
    identifier: 'more',
    windows: ['*'],
    permissions: [{ identifier: 'http:allow-fetch', allow: ['https://a.com/private/*'] }],
  })
  const { request } = await join(caller.bus, 'later')
  await expect(request({ url: 'https://a.com/private/x' })).rejects.toMatchObject({
    data: 'url not allowed on the configured scope: https://a.com/private/x',
  })
})
