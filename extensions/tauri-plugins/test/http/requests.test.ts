// Requests as they reach the network: heads on the wire, forbidden headers and methods, and malformed arguments.
import { describe, expect, test } from 'vitest'
import { connect, join } from './client.js'
import { serve, serveRaw } from './servers.js'
import { rows } from '../../../../scripts/testing.js'

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

describe('on the wire', () => {
  test('a request has its own headers and those of every request, and nothing else', async () => {
    const server = await serveRaw(OK)
    const { text } = await connect([`${server.origin}/*`])
    expect(
      await text({
        url: `${server.origin}/a?b=c#d`,
        headers: [
          ['x-a', '1'],
          ['x-a', '2'],
          ['accept', 'text/plain'],
        ],
      }),
    ).toBe('ok')
    expect(server.received().split('\r\n').toSorted()).toEqual(
      [
        'GET /a?b=c HTTP/1.1',
        `Host: 127.0.0.1:${server.port}`,
        'Connection: close',
        'x-a: 1',
        'x-a: 2',
        'accept: text/plain',
        'user-agent: tauri-plugin-http/2.7.0',
        '',
        '',
      ].toSorted(),
    )
  })

  test('forbidden headers are not sent', async () => {
    const server = await serveRaw(OK)
    const { text } = await connect([`${server.origin}/*`])
    const names = [
      ...[
        'Accept-Charset',
        'Accept-Encoding',
        'Access-Control-Request-Headers',
        'Access-Control-Request-Method',
        'Connection',
      ],
      ...[
        'Content-Length',
        'Cookie',
        'Date',
        'DNT',
        'Expect',
        'Host',
        'Keep-Alive',
        'Origin',
        'Referer',
        'Set-Cookie',
        'TE',
        'Trailer',
      ],
      ...['Transfer-Encoding', 'Upgrade', 'Via', 'Proxy-Authorization', 'proxy-x', 'Sec-Fetch-Site', 'sec-x'],
    ]
    await text({ url: `${server.origin}/`, headers: names.map(name => [name, 'evil']) })
    expect(server.received()).not.toContain('evil')
    expect(server.received()).toContain(`Host: 127.0.0.1:${server.port}\r\n`)
  })

  test('a body has its length', () =>
    rows([
      ['POST', null, 'content-length: 0\r\n'],
      ['PUT', null, 'content-length: 0\r\n'],
      ['POST', [104, 105], 'content-length: 2\r\n'],
      ['PATCH', new Uint8Array([104, 105]), 'content-length: 2\r\n'],
    ])(async (method, data, header) => {
      const server = await serveRaw(OK)
      const { bus } = await connect([`${server.origin}/*`], { codec: 'msgpack' })
      const { text } = await join(bus, 'other')
      await text({ url: server.origin, method, data })
      expect(server.received()).toContain(header)
      expect(server.received()).not.toMatch(/transfer-encoding/i)
      expect(server.received().endsWith(data ? '\r\n\r\nhi' : '\r\n\r\n')).toBe(true)
    }))

  test('a range is not compressed', async () => {
    const server = await serveRaw(OK)
    const { text } = await connect([`${server.origin}/*`])
    await text({ url: server.origin, headers: [['Range', 'bytes=0-1']] })
    expect(server.received()).toContain('accept-encoding: identity\r\n')
  })

  test('a dot at the end of the host is not sent', async () => {
    const server = await serveRaw(OK)
    const { text } = await connect([`http://localhost:${server.port}/*`])
    await text({ url: `http://localhost.:${server.port}/` })
    expect(server.received()).toContain(`Host: localhost:${server.port}\r\n`)
  })
})

describe('is refused, and nothing is connected:', () => {
  test('malformed or forbidden arguments', () =>
    rows<[string, object, string | RegExp]>([
      ['CONNECT', { method: 'CONNECT' }, 'invalid HTTP method'],
      ['TRACE', { method: 'TRACE' }, 'invalid HTTP method'],
      ['a method with a line break', { method: 'GET / HTTP/1.1\r\nX: ' }, 'invalid HTTP method'],
      ['an unknown method', { method: 'get' }, 'invalid HTTP method'],
      ['a name with a line break', { headers: [['x\r\ny', '1']] }, 'invalid HTTP header name'],
      ['an empty name', { headers: [['', '1']] }, 'invalid HTTP header name'],
      ['a value with a line break', { headers: [['x', '1\r\ny: 2']] }, 'failed to parse header value'],
      ['a value with NUL', { headers: [['x', '\0']] }, 'failed to parse header value'],
      [
        'long headers',
        { headers: [['x', 'a'.repeat(17_000)]] },
        'request headers exceeded 16384 bytes. Send fewer or shorter headers.',
      ],
      ['headers as an object', { headers: { a: 'b' } }, /^invalid args `clientConfig` for command `fetch`: /],
      ['a header of three', { headers: [['a', 'b', 'c']] }, /^invalid args/],
      ['a relative URL', { url: '/a' }, 'invalid args `clientConfig` for command `fetch`: relative URL without a base'],
      ['a number as URL', { url: 1 }, /^invalid args/],
      ['a long URL', { url: `http://127.0.0.1/${'a'.repeat(9000)}` }, /^url exceeded 8192 characters/],
      ['another scheme', { url: 'ftp://127.0.0.1/a' }, 'scheme ftp not supported'],
      ['file:', { url: 'file:///etc/passwd' }, 'scheme file not supported'],
      ['bytes above 255', { data: [256] }, /^invalid args/],
      ['bytes as a string', { data: 'abc' }, /^invalid args/],
      ['negative redirects', { maxRedirections: -1 }, /^invalid args/],
      ['a timeout as a string', { connectTimeout: '1' }, /^invalid args/],
      [
        'a proxy',
        { proxy: { all: 'http://127.0.0.1:1' } },
        'proxy refused: http://127.0.0.1:1. List it in the option "proxies" of http().',
      ],
      ['danger', { danger: { acceptInvalidCerts: true } }, 'dangerous settings used but are not enabled'],
    ])(async (_name, config, text) => {
      const server = await serveRaw(OK)
      const { request } = await connect([`${server.origin}/*`])
      await expect(request({ url: `${server.origin}/`, ...config })).rejects.toMatchObject({
        data: typeof text === 'string' ? text : expect.stringMatching(text),
      })
      expect(server.count()).toBe(0)
    }))

  test('credentials in the URL', async () => {
    const server = await serveRaw(OK)
    const { request } = await connect([`${server.origin}/*`])
    await expect(request({ url: `http://user:secret@127.0.0.1:${server.port}/` })).rejects.toMatchObject({
      data: 'url contained credentials. Send them in the header "authorization".',
    })
    expect(server.count()).toBe(0)
  })
})

test('a response has the status, its standard reason, lower-case names with duplicates, and the URL without its fragment', async () => {
  const server = await serve((_request, response) => {
    response.writeHead(
      201,
      'Whatever',
      [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Y', 'Z'],
      ].flat(),
    )
    response.end('x')
  })
  const { request } = await connect([`${server.origin}/*`])
  const { headers, ...head } = await request({ url: `${server.origin}/a#b` })
  expect(head).toMatchObject({ status: 201, statusText: 'Created', url: `${server.origin}/a` })
  expect(headers).toEqual(
    expect.arrayContaining([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-y', 'Z'],
    ]),
  )
})

test('cookies are not kept', async () => {
  const server = await serve((request, response) =>
    response.setHeader('set-cookie', 'a=1').end(String(request.headers.cookie)),
  )
  const { text } = await connect([`${server.origin}/*`])
  await text({ url: server.origin })
  expect(await text({ url: server.origin })).toBe('undefined')
})

test('a failed connection rejects with the text of reqwest', async () => {
  const { request } = await connect(['http://127.0.0.1:1/*'])
  await expect(request({ url: 'http://127.0.0.1:1/' })).rejects.toMatchObject({
    data: 'error sending request for url (http://127.0.0.1:1/)',
  })
})

test('a data: URL is answered without a scope', () =>
  rows([
    ['data:,a%20b', 'a b', 'text/plain;charset=US-ASCII'],
    ['data:text/html;charset=utf-8,%C3%BC<b>', 'ü<b>', 'text/html;charset=utf-8'],
    ['data:;base64,aGk=', 'hi', 'text/plain;charset=US-ASCII'],
    ['data:image/png ; base64,a%47k#x', 'hi', 'image/png'],
  ])(async (url, body, type) => {
    const { request, readAll } = await connect([])
    const { headers, status, rid } = await request({ url })
    expect({ headers, status }).toEqual({ headers: [['content-type', type]], status: 200 })
    expect((await readAll(rid)).toString()).toBe(body)
  }))

test('a malformed data: URL rejects', () =>
  rows([
    ['data:text/plain', 'failed to process data url'],
    ['data:;base64,a', 'failed to decode data url into bytes'],
  ])(async (url, text) => {
    const { request } = await connect([])
    await expect(request({ url })).rejects.toMatchObject({ data: text })
  }))
