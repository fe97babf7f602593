// Redirects: each hop is checked, and credentials stay within an origin.
import { describe, expect, test } from 'vitest'
import { connect } from './client.js'
import { type LocalServer, serve } from './servers.js'
import { rows } from '../../../../scripts/testing.js'

/** Starts a server that redirects `/to?<url>` with the status of the path's first part, and echoes everything else. */
const serveRedirects = (): Promise<LocalServer> =>
  serve((request, response) => {
    const { pathname, search } = new URL(request.url!, 'http://x')
    const status = Number(pathname.slice(1))
    if (status >= 300)
      return void response.writeHead(status, { location: decodeURIComponent(search.slice(1)) }).end('moved')
    let body = ''
    request.on('data', bytes => (body += String(bytes)))
    request.on('end', () =>
      response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body })),
    )
  })

const to = (server: LocalServer, status: number, url: string): string =>
  `${server.origin}/${status}?${encodeURIComponent(url)}`

describe('a redirect is refused', () => {
  test('to a URL out of scope', () =>
    rows<[string, (other: LocalServer) => string]>([
      ['to another port', other => `${other.origin}/`],
      ['to a name of this machine', other => `http://localhost:${other.port}/`],
      ['to a mapped address', other => `http://[::ffff:127.0.0.1]:${other.port}/`],
      ['to an address in another spelling', other => `http://0x7f.1:${other.port}/`],
      ['to another scheme', other => `https://127.0.0.1:${other.port}/`],
      ['to a file', () => 'file:///etc/passwd'],
      ['to data', () => 'data:,secret'],
    ])(async (_name, getTarget) => {
      const [server, other] = [await serveRedirects(), await serveRedirects()]
      const { request } = await connect([`${server.origin}/*`])
      const target = getTarget(other)
      await expect(request({ url: to(server, 302, target) })).rejects.toMatchObject({
        data: `url not allowed on the configured scope: ${new URL(target).href}`,
      })
      expect(other.count()).toBe(0)
    }))

  test('to a host that is longer than DNS allows, and so is a request to one', async () => {
    const server = await serveRedirects()
    const { request } = await connect([`${server.origin}/*`])
    for (const host of ['a'.repeat(64), 'a.'.repeat(127), '%E4%BE%8B'.repeat(200)]) {
      expect(await request({ url: to(server, 302, `http://${host}/`) })).toMatchObject({ status: 302 })
      await expect(request({ url: `http://${host}/` })).rejects.toMatchObject({
        data: expect.stringContaining('relative URL without a base'),
      })
    }
  })

  test('by 307 with a body', async () => {
    const [server, other] = [await serveRedirects(), await serveRedirects()]
    const { request } = await connect([`${server.origin}/*`])
    await expect(request({ url: to(server, 307, other.origin), method: 'POST', data: [1] })).rejects.toMatchObject({
      data: `url not allowed on the configured scope: ${other.origin}/`,
    })
    expect(other.count()).toBe(0)
  })

  test('to a denied path', async () => {
    const server = await serveRedirects()
    const { request } = await connect([`${server.origin}/*`], { deny: [`${server.origin}/admin*`] })
    await expect(request({ url: to(server, 302, '/%61dmin/x') })).rejects.toMatchObject({
      data: `url not allowed on the configured scope: ${server.origin}/%61dmin/x`,
    })
  })

  test('to this machine from a pattern with wildcards', async () => {
    const server = await serveRedirects()
    const { request } = await connect([`${server.origin}/*`, 'http://*:*/*'])
    await expect(request({ url: to(server, 302, `http://127.0.0.2:${server.port}/`) })).rejects.toMatchObject({
      data: `url not allowed on the configured scope: http://127.0.0.2:${server.port}/`,
    })
    expect(server.count()).toBe(1)
  })
})

test('the status decides on method and body of the next request', () =>
  rows([
    [301, 'POST', 'GET', ''],
    [302, 'PUT', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [307, 'POST', 'POST', 'hi'],
    [308, 'PUT', 'PUT', 'hi'],
  ])(async (status, method, next, body) => {
    const server = await serveRedirects()
    const { text } = await connect([`${server.origin}/*`])
    const headers = [['content-type', 'text/plain']]
    const answer = JSON.parse(await text({ url: to(server, status, '/end'), method, data: [104, 105], headers }))
    expect(answer).toMatchObject({ method: next, url: '/end', body })
    expect(answer.headers['content-type']).toBe(body === '' ? undefined : 'text/plain')
  }))

test('credentials never reach a second origin, and stay within the first', async () => {
  const [server, other] = [await serveRedirects(), await serveRedirects()]
  const { text } = await connect([`${server.origin}/*`, `${other.origin}/*`])
  const headers = [
    ['Authorization', 'Bearer secret'],
    ['WWW-Authenticate', 'Basic'],
    ['x-kept', 'yes'],
  ]
  const same = JSON.parse(await text({ url: to(server, 302, '/end'), headers }))
  expect(same.headers).toMatchObject({ authorization: 'Bearer secret', 'x-kept': 'yes' })
  const answer = JSON.parse(await text({ url: to(server, 307, other.origin), headers }))
  for (const name of ['authorization', 'www-authenticate']) expect(answer.headers).not.toHaveProperty(name)
  expect(answer.headers['x-kept']).toBe('yes')
})

test('a loop ends after ten redirects', async () => {
  const server = await serve((_request, response) => void response.writeHead(302, { location: '/' }).end())
  const { request } = await connect([`${server.origin}/*`])
  await expect(request({ url: server.origin })).rejects.toMatchObject({
    data: `error following redirect for url (${server.origin}/)`,
  })
  expect(server.count()).toBe(11)
})

test('a frontend chooses the number of redirects, up to fifty', async () => {
  const server = await serve((_request, response) => void response.writeHead(302, { location: '/' }).end())
  const { request } = await connect([`${server.origin}/*`])
  await expect(request({ url: server.origin, maxRedirections: 2 })).rejects.toMatchObject({
    data: expect.stringContaining('error following redirect'),
  })
  expect(server.count()).toBe(3)
  await expect(request({ url: server.origin, maxRedirections: 1e9 })).rejects.toMatchObject({
    data: expect.stringContaining('error following redirect'),
  })
  expect(server.count()).toBe(54)
})

test('without redirects or a valid URL, a redirect is the response', () =>
  rows([
    ['without redirects, a redirect is the response', { maxRedirections: 0 }, '/next'],
    ['a redirect without a valid URL is the response', {}, 'http://[x'],
  ])(async (_name, options, location) => {
    const server = await serve((_request, response) => void response.writeHead(302, { location }).end('body'))
    const { request, readAll } = await connect([`${server.origin}/*`])
    const { status, rid } = await request({ url: server.origin, ...options })
    expect([status, (await readAll(rid)).toString()]).toEqual([302, 'body'])
  }))
