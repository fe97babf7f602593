// Pinned versions of @tauri-apps/plugin-http that read bodies in other ways: from 2.4.2 on a channel, from 2.5.5 by chunks.
import { type Bus, createBus } from '@sallyport/core'
import type { RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { choose } from '../../../../scripts/testing.js'
import { type LocalServer, serve } from './servers.js'

const fixture = (name: string): URL => new URL(`./fixtures/${name}`, import.meta.url)
const SIZE = 3_000_000
const BYTES = Uint8Array.from({ length: SIZE }, (_, at) => at % 251)

const pages: Record<string, RequestListener> = {
  '/bytes': (_request, response) => response.end(BYTES),
  '/json': (_request, response) => response.end('{"a":1}'),
  '/empty': (_request, response) => response.end(),
  '/205': (_request, response) => response.writeHead(205).end(),
  '/broken'(_request, response) {
    response.writeHead(200, { 'content-length': 1000 }).write('start')
    setImmediate(() => response.socket?.resetAndDestroy())
  },
}

const guests = [
  ['2.4.2', '-2.4.2'],
  ['2.5.4', '-2.5.4'],
  ['2.5.5', '-2.5.5'],
  ['of today', ''],
] as const

describe.each(choose(guests))('the guest %s', (version, suffix) => {
  let bus: Bus
  let server: LocalServer
  beforeEach(async () => {
    server = await serve((request, response) => pages[request.url!]!(request, response))
    bus = await createBus({
      core: fixture('core.mjs'),
      log: false,
      frontends: {
        guest: {
          module: fixture('older-guests.mjs'),
          data: suffix,
          allow: [{ permission: 'http:default', allow: [{ url: `${server.origin}/*` }] }],
        },
      },
    })
  })
  afterEach(() => bus.close({ timeout: 0 }))
  const call = (name: string, path: string): Promise<unknown> => bus.call('guest', name, { url: server.origin + path })

  test('gets 3,000,000 bytes, JSON and an empty body whole, and leaves no connection open', async () => {
    expect(await call('bytes', '/bytes')).toEqual({ length: SIZE, isWhole: true })
    expect(await call('text', '/json')).toBe('{"a":1}')
    expect(await call('text', '/empty')).toBe('')
    await expect.poll(() => server.sockets.size).toBe(0)
  })

  test('gets the error of a body that breaks off', async () => {
    expect(await call('error', '/broken')).toMatch(/^error decoding response body/)
  })

  // These pass a stream to `Response` whatever the status is, which the standard refuses.
  test.runIf(!version.startsWith('2.4'))('gets a response without a body', async () => {
    expect(await call('status', '/205')).toBe(205)
  })

  test('can abort a request that has ended', async () => {
    expect(await call('abortAfter', '/json')).toBe('{"a":1}')
    expect(await call('text', '/json')).toBe('{"a":1}')
  })
})
