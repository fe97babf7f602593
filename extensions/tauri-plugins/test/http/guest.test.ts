// @tauri-apps/plugin-http as npm has it, in sandboxed frontends whose core is a worker.
import { type Bus, createBus } from '@sallyport/core'
import type { RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LocalServer, serve } from './servers.js'
import { choose } from '../../../../scripts/testing.js'

const fixture = (name: string): URL => new URL(`./fixtures/${name}`, import.meta.url)
const SIZE = 20 * 1024 * 1024

const pages: Record<string, RequestListener> = {
  '/text': (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('grüße'),
  '/missing': (_request, response) => response.writeHead(404).end('no'),
  '/cookies': (_request, response) => response.setHeader('set-cookie', ['a=1', 'b=2; Path=/']).end(),
  '/204': (_request, response) => response.writeHead(204).end(),
  '/205': (_request, response) => response.writeHead(205).end(),
  '/304': (_request, response) => response.writeHead(304).end(),
  '/redirect': (_request, response) => response.writeHead(302, { location: '/text' }).end(),
  '/leave': (_request, response) => response.writeHead(302, { location: 'http://example.com/' }).end(),
  '/endless': (_request, response) => void response.write('first'),
  '/never': () => {},
  '/large'(_request, response) {
    let sent = 0
    const send = (): void => {
      while (sent < SIZE) {
        sent += 65_536
        if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', send)
      }
      response.end()
    }
    send()
  },
  '/echo'(request, response) {
    const chunks: Buffer[] = []
    request.on('data', (bytes: Buffer) => chunks.push(bytes))
    request.on('end', () => {
      const { method, headers } = request
      const body = Buffer.concat(chunks)
      const text = body.length > 10_000 ? undefined : body.toString('latin1')
      response.end(JSON.stringify({ method, headers, length: body.length, text }))
    })
  },
}

describe.each(choose(['permission', 'process'] as const))('with the sandbox %s', sandbox => {
  let bus: Bus
  let server: LocalServer
  beforeEach(async () => {
    server = await serve((request, response) => pages[request.url!]!(request, response))
    bus = await createBus({
      core: fixture('core.mjs'),
      log: false,
      frontends: {
        guest: {
          module: fixture('guest.mjs'),
          sandbox,
          allow: [{ permission: 'http:default', allow: [{ url: `${server.origin}/*` }] }],
        },
      },
    })
  })
  afterEach(() => bus.close({ timeout: 0 }))

  const call = <T>(name: string, path: string, args: object = {}): Promise<T> =>
    bus.call<T>('guest', name, { url: server.origin + path, ...args })

  test('it fetches text, JSON and forms', async () => {
    expect(await call('text', '/text')).toEqual({
      ...{ status: 200, statusText: 'OK', ok: true, url: `${server.origin}/text` },
      ...{ type: 'text/plain; charset=utf-8', text: 'grüße' },
    })
    expect(await call('text', '/redirect')).toMatchObject({ status: 200, url: `${server.origin}/text` })
    expect(await call('text', '/missing')).toMatchObject({
      status: 404,
      statusText: 'Not Found',
      ok: false,
      text: 'no',
    })
    expect(await call('json', '/echo', { body: { a: 'ü' } })).toMatchObject({
      ...{ method: 'POST', text: Buffer.from('{"a":"ü"}').toString('latin1') },
      headers: { 'content-type': 'application/json', 'x-own': 'yes', 'content-length': '10' },
    })
    const form = await call<{ text: string; headers: Record<string, string> }>('form', '/echo')
    expect(form.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
    expect(form.text).toContain('\0\u00FF')
  })

  test('it streams 20 MiB to a slow reader', async () => {
    expect(await call('stream', '/large')).toBe(SIZE)
    await expect.poll(() => server.sockets.size).toBe(0)
  })

  test('it sees cookies, clones, and responses without a body, and leaves no connection open', async () => {
    expect(await call('cookies', '/cookies')).toEqual(['a=1', 'b=2; Path=/'])
    expect(await call('clone', '/text')).toEqual([
      'grüße',
      'grüße',
      `${server.origin}/text`,
      'text/plain; charset=utf-8',
    ])
    for (const status of [204, 205, 304]) expect(await call('status', `/${status}`)).toEqual([status, true, ''])
    await expect.poll(() => server.sockets.size).toBe(0)
  })

  test('an AbortSignal ends a request before, during and after its response', async () => {
    expect(await call('abortBefore', '/never')).toBe('Request cancelled')
    expect(server.count()).toBe(0)
    expect(await call('abortDuring', '/never', { until: `${server.origin}/204` })).toBe('Request canceled')
    await expect.poll(() => server.sockets.size).toBe(0)
    expect(await call('abortBody', '/endless')).toBe('Request cancelled')
    await expect.poll(() => server.sockets.size).toBe(0)
  })

  test('it is refused URLs and redirects outside its scope', async () => {
    const text = 'url not allowed on the configured scope: '
    expect(await bus.call('guest', 'error', { url: 'https://example.com' })).toBe(`${text}https://example.com/`)
    expect(await call('error', '/leave')).toBe(`${text}http://example.com/`)
    expect(await call('error', '/text', { init: { danger: { acceptInvalidCerts: true } } })).toBe(
      'dangerous settings used but are not enabled',
    )
    expect(await call('error', '/text', { init: { proxy: { all: server.origin } } })).toMatch(/^proxy refused: /)
  })

  test('it uploads 500 kB', async () => {
    expect(await call('upload', '/echo', { size: 500_000 })).toMatchObject({ length: 500_000 })
  })

  test('its connections end with it', async () => {
    bus.call('guest', 'text', { url: `${server.origin}/endless` }).catch(() => {})
    await expect.poll(() => server.sockets.size).toBe(1)
    await bus.closeFrontend('guest')
    await expect.poll(() => server.sockets.size).toBe(0)
  })
})
