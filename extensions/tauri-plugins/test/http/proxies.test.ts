// Proxies and invalid certificates, which the host has to open.
import { createServer as createHttpsServer } from 'node:https'
import { connect as connectSocket } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCertificate } from './certificate.js'
import { connect } from './client.js'
import { listen, type LocalServer, serve } from './servers.js'
import { rows } from '../../../../scripts/testing.js'

let certificate: ReturnType<typeof createCertificate>
beforeAll(() => {
  certificate = createCertificate()
})

const serveHttps = (): Promise<LocalServer> =>
  listen(createHttpsServer(certificate, (request, response) => void response.end(`secure ${request.url}`)))

interface ProxyServer extends LocalServer {
  readonly requests: string[]
}

/** Starts a proxy that answers requests itself, and opens tunnels to their port on this machine. */
async function serveProxy(status = 200): Promise<ProxyServer> {
  const requests: string[] = []
  const note = (line: string, authorization: string | undefined): void =>
    void requests.push([line, authorization].filter(Boolean).join(' '))
  const server = await serve(
    (request, response) => {
      note(`${request.method} ${request.url} ${request.headers.host}`, request.headers['proxy-authorization'])
      if (request.url?.endsWith('/leave')) response.writeHead(302, { location: 'http://other.example/' })
      response.end('proxied')
    },
    (request, socket) => {
      note(`CONNECT ${request.url}`, request.headers['proxy-authorization'])
      socket.on('error', () => {})
      if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
      const target = connectSocket(Number(request.url!.split(':')[1]), '127.0.0.1')
      target.on('error', () => {})
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(target).pipe(socket)
      socket.on('close', () => target.destroy())
      target.on('close', () => socket.destroy())
    },
  )
  return { ...server, requests }
}

describe('a proxy that the host lists', () => {
  test('receives requests for http, with its credentials', async () => {
    const proxy = await serveProxy()
    const { text } = await connect(['http://a.example/*'], { proxies: [proxy.origin] })
    const basicAuth = { username: 'user', password: 'pass' }
    expect(await text({ url: 'http://a.example/x?y', proxy: { http: { url: proxy.origin, basicAuth } } })).toBe(
      'proxied',
    )
    expect(proxy.requests).toEqual([`GET http://a.example/x?y a.example Basic ${btoa('user:pass')}`])
  })

  test('receives tunnels for https, and the certificate is that of the target', async () => {
    const [proxy, secure] = [await serveProxy(), await serveHttps()]
    const url = `https://a.example:${secure.port}/x`
    const pattern = `https://a.example:${secure.port}/*`
    const { request, text } = await connect([pattern], { proxies: [proxy.origin], danger: [pattern] })
    await expect(request({ url, proxy: { all: proxy.origin } })).rejects.toMatchObject({
      data: `error sending request for url (${url})`,
    })
    expect(await text({ url, proxy: { all: proxy.origin }, danger: { acceptInvalidCerts: true } })).toBe('secure /x')
    expect(proxy.requests).toEqual([`CONNECT a.example:${secure.port}`, `CONNECT a.example:${secure.port}`])
    await expect.poll(() => proxy.sockets.size + secure.sockets.size).toBe(0)
  })

  test('fails the request if it refuses the tunnel', async () => {
    const proxy = await serveProxy(403)
    const { request } = await connect(['https://a.example/*'], { proxies: [proxy.origin] })
    await expect(request({ url: 'https://a.example/', proxy: { all: proxy.origin } })).rejects.toMatchObject({
      data: 'error sending request for url (https://a.example/)',
    })
    await expect.poll(() => proxy.sockets.size).toBe(0)
  })

  test('does not widen the scope, also of redirects', async () => {
    const proxy = await serveProxy()
    const { request } = await connect(['http://a.example/*', 'http://*/private/*'], { proxies: [proxy.origin] })
    for (const url of ['http://b.example/', 'http://127.0.0.1/private/x', 'http://localhost/private/x']) {
      await expect(request({ url, proxy: { all: proxy.origin } })).rejects.toMatchObject({
        data: `url not allowed on the configured scope: ${url}`,
      })
    }
    expect(proxy.requests).toEqual([])
    await expect(request({ url: 'http://a.example/leave', proxy: { all: proxy.origin } })).rejects.toMatchObject({
      data: 'url not allowed on the configured scope: http://other.example/',
    })
  })

  test('is not used for the hosts of noProxy', async () => {
    const [proxy, server] = [await serveProxy(), await serve((_request, response) => void response.end('direct'))]
    const { text } = await connect([`${server.origin}/*`], { proxies: [proxy.origin] })
    const config = { url: proxy.origin, noProxy: 'a.example, 127.0.0.1' }
    expect(await text({ url: server.origin, proxy: { all: config } })).toBe('direct')
    expect(proxy.requests).toEqual([])
  })
})

test('another proxy is refused', () =>
  rows([
    [{ all: 1 }, /^invalid args/],
    ['http://127.0.0.1:1', /^invalid args/],
    [{ http: { url: 'x' } }, /^invalid args/],
    [{ https: { url: 'http://127.0.0.1:1', noProxy: 1 } }, /^invalid args/],
    [{ all: { url: 'http://127.0.0.1:1', basicAuth: { username: 1 } } }, /^invalid args/],
    [{ all: 'http://%ff@127.0.0.1:1' }, /^invalid args/],
    [{ http: 'http://127.0.0.1:2' }, /^proxy refused: http:\/\/127\.0\.0\.1:2\./],
  ])(async (proxy, text) => {
    const { request } = await connect(['http://a.example/*'], { proxies: ['http://127.0.0.1:1'] })
    await expect(request({ url: 'http://a.example/', proxy })).rejects.toMatchObject({
      data: expect.stringMatching(text),
    })
  }))

describe('an invalid certificate', () => {
  test('fails the request', async () => {
    const secure = await serveHttps()
    const url = `https://127.0.0.1:${secure.port}/`
    const { request } = await connect([url])
    await expect(request({ url })).rejects.toMatchObject({ data: `error sending request for url (${url})` })
  })

  test('passes if the host and the frontend accept it for the URL', async () => {
    const secure = await serveHttps()
    const url = `https://127.0.0.1:${secure.port}/`
    const { text, request } = await connect([`https://127.0.0.1:*/*`], { danger: [url] })
    expect(await text({ url, danger: { acceptInvalidCerts: true } })).toBe('secure /')
    await expect(request({ url })).rejects.toMatchObject({ data: `error sending request for url (${url})` })
    await expect(request({ url: 'https://127.0.0.1:1/', danger: { acceptInvalidCerts: true } })).rejects.toMatchObject({
      data: 'dangerous settings used but are not enabled',
    })
  })

  test('fails a redirect to a host for which it is not accepted', async () => {
    const secure = await serveHttps()
    const server = await serve(
      (_request, response) => void response.writeHead(302, { location: `https://127.0.0.1:${secure.port}/` }).end(),
    )
    const { request } = await connect([`${server.origin}/*`, `https://127.0.0.1:${secure.port}`], {
      danger: [server.origin],
    })
    await expect(request({ url: server.origin, danger: { acceptInvalidCerts: true } })).rejects.toMatchObject({
      data: `error sending request for url (https://127.0.0.1:${secure.port}/)`,
    })
  })
})
