// What a hostile process sends to the broker by hand, over the same pipe as `fetch`.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, request as requestHttp, type RequestListener, type Server } from 'node:http'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { duplexPair, pipeline } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import { BROKER_OUTCOME, BROKER_REASON, BROKER_SCHEME } from '@sallyport/protocol/internal/contract'
import type { Lookup } from '@sallyport/paths/internal/addresses'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { BrokerDenial } from './broker.js'
import { serveBroker } from './serve-broker.js'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const serve = (handler: RequestListener): Promise<number> => listen(createServer(handler))

async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close().closeAllConnections())
  return (server.address() as AddressInfo).port
}

/** Resolves names to these addresses, the last one for ever. */
const resolveTo =
  (...answers: string[]): Lookup =>
  (_name, _options, callback) => {
    const address = answers.length > 1 ? answers.shift()! : answers[0]!
    callback(null, [{ address, family: address.includes(':') ? 6 : 4 }])
  }

/** With it, the broker reads the requests of a connection. */
const SECRET = { name: 'S', placeholder: 'a-placeholder', value: 'v', hosts: ['secret.example'] }

function open(
  hosts: string[],
  lookup?: Lookup,
  secrets = [SECRET],
): { session: ClientHttp2Session; denied: BrokerDenial[]; close: () => void } {
  const [inner, outer] = duplexPair()
  const denied: BrokerDenial[] = []
  const close = serveBroker(outer, { hosts, secrets }, denial => void denied.push(denial), lookup)
  const session = connect('http://broker', { createConnection: () => inner })
  session.on('error', () => {})
  closers.push(close, () => session.destroy())
  return { session, denied, close }
}

/** Returns a frame of HTTP/2. */
function toFrame(type: number, flags: number, id: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, payload])
}

interface Answer {
  headers: IncomingHttpHeaders
  text: string
}

/** Opens a connection. @param scheme - of the requests that follow */
const openStream = (session: ClientHttp2Session, authority: unknown, scheme?: unknown): ClientHttp2Stream =>
  session.request(
    {
      ':method': 'CONNECT',
      ':authority': String(authority),
      ...(scheme !== undefined && { [BROKER_SCHEME]: String(scheme) }),
    },
    { endStream: false },
  )

/** Resolves with the head of a CONNECT, and with the response to another request, which is sent over a connection of its own. */
const send = (
  session: ClientHttp2Session,
  { ':method': method, ':scheme': scheme, ':authority': authority, ':path': path, ...headers }: OutgoingHttpHeaders,
  body?: string,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const stream = openStream(session, authority, scheme).on('error', reject)
    stream.once('response', received => {
      if (method === 'CONNECT') resolve({ headers: received, text: '' })
    })
    if (method === 'CONNECT') return
    const [inner, outer] = duplexPair()
    pipeline(stream, inner, () => {})
    pipeline(inner, stream, () => {})
    // The end of one side is not that of the other one.
    stream.once('close', () => void (stream.rstCode !== 0 && outer.destroy(new Error('reset'))))
    const options = { createConnection: () => outer as never, method: String(method), headers: headers as never }
    const request = requestHttp({ ...options, path: String(path) }, response => {
      readText(response).then(
        text =>
          resolve({ headers: { ...response.headers, ':status': response.statusCode } as IncomingHttpHeaders, text }),
        reject,
      )
    })
    request.on('error', reject).end(body)
  })

const get = (authority: string, more: OutgoingHttpHeaders = {}): OutgoingHttpHeaders => ({
  ...{ ':method': 'GET', ':scheme': 'http', ':authority': authority, ':path': '/' },
  ...more,
})

const getOutcome = ({ headers }: Answer): unknown => headers[BROKER_OUTCOME] ?? 'response'

test('a listed name that resolves to a private address is denied, and its address stays with the host', () =>
  rows([
    ['a private address', '10.0.0.1'],
    ['localhost', '127.0.0.1'],
    ['localhost over IPv6', '::1'],
    ['a mapped address', '::ffff:127.0.0.1'],
    ['the metadata of a cloud', '169.254.169.254'],
  ])(async (_name, address) => {
    const { session, denied } = open(['*.example:*'], resolveTo(address))
    const answer = await send(session, get('evil.example'))
    expect(getOutcome(answer)).toBe('denied')
    expect(answer.headers[BROKER_REASON]).not.toContain(address)
    expect(denied).toMatchObject([{ host: 'evil.example:80', hint: expect.stringContaining(address) as string }])
    expect(getOutcome(await send(session, { ':method': 'CONNECT', ':authority': 'evil.example:443' }))).toBe('denied')
  }))

test('an entry with a wildcard does not open this machine, however its address is written', () =>
  rows([
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '127.1',
    '[::1]',
    '[::ffff:7f00:1]',
    'localhost',
    'a.localhost',
    '0.0.0.0',
  ])(async host => {
    let count = 0
    const port = await serve((_request, response) => {
      count++
      response.end()
    })
    const { session, denied } = open(['*:*'])
    expect(getOutcome(await send(session, get(`${host}:${port}`)))).toBe('denied')
    expect(getOutcome(await send(session, { ':method': 'CONNECT', ':authority': `${host}:${port}` }))).toBe('denied')
    expect(denied).toHaveLength(2)
    expect(count).toBe(0)
  }))

test('the error of a connect has no address, and names a proxy of the host that lists of hosts do not use', () =>
  rows([
    ['127.0.0.1:1', undefined, 'connect ECONNREFUSED'],
    ['localhost:1', undefined, 'connect ECONNREFUSED'],
    [
      'localhost:1',
      'http://proxy.example:3128',
      'connect ECONNREFUSED: hosts of a list are reached directly, and not through the proxy of HTTPS_PROXY',
    ],
  ] as const)(async (authority, proxy, reason) => {
    for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy']) vi.stubEnv(name, undefined)
    vi.stubEnv('HTTPS_PROXY', proxy)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { session } = open(['127.0.0.1:1', 'localhost:1'])
    const { headers } = await send(session, { ':method': 'CONNECT', ':authority': authority })
    expect(headers).toMatchObject({ [BROKER_OUTCOME]: 'failed', [BROKER_REASON]: reason })
  }))

test('a reason is text of ASCII, without what stands around it', async () => {
  const { session } = open(['a.example'], (_name, _options, callback) => callback(new Error('…no such plåce…'), []))
  const { headers } = await send(session, { ':method': 'CONNECT', ':authority': 'a.example:443' })
  expect(headers).toMatchObject({ [BROKER_OUTCOME]: 'failed', [BROKER_REASON]: 'no such pl ce' })
})

test('a name is resolved once: the connection uses the address that was checked', async () => {
  const port = await serve((_request, response) => void response.end('reached'))
  const names: string[] = []
  const answers = resolveTo('10.0.0.1', '127.0.0.1')
  const { session } = open(['a.example:*', '127.0.0.1:*'], (name, options, callback) => {
    names.push(name)
    answers(name, options, callback)
  })
  expect(getOutcome(await send(session, get(`a.example:${port}`)))).toBe('denied')
  expect(names).toEqual(['a.example'])
})

test('one name is resolved at a time, in turns of frontends, and none for a frontend that has ended', async () => {
  const asked: string[] = []
  let answer = (): void => {}
  const lookup: Lookup = (name, _options, callback) => {
    asked.push(name)
    answer = () => callback(new Error('none'), [])
  }
  const ask = async ({ session }: ReturnType<typeof open>, name: string): Promise<void> => {
    send(session, { ':method': 'CONNECT', ':authority': `${name}:443` }).catch(() => {})
    await new Promise(resolve => void session.ping(resolve))
  }
  const [first, ended, last] = [1, 2, 3].map(() => open(['*'], lookup))
  for (const name of ['a.example', 'b.example', 'd.example']) await ask(first!, name)
  await ask(ended!, 'never.example')
  ended!.close()
  await ask(last!, 'c.example')
  for (const names of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']]) {
    await vi.waitFor(() => expect(asked).toEqual(names.map(name => `${name}.example`)))
    answer()
  }
})

test('a host that answers at once is reached by a thread that was busy', () =>
  rows(['GET', 'CONNECT'])(async method => {
    const port = await serve((_request, response) => void response.end('reached'))
    const { session } = open(['localhost:*'])
    const block = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
    // The event loop runs timers next, before it reads.
    const watch = (message: unknown): void =>
      void (message as { socket: Socket }).socket.once('connectionAttempt', () => process.nextTick(block))
    await once(session, 'connect')
    subscribe('net.client.socket', watch)
    closers.push(() => unsubscribe('net.client.socket', watch))
    const authority = `localhost:${port}`
    const headers = method === 'GET' ? get(authority) : { ':method': method, ':authority': authority }
    expect(await send(session, headers)).toMatchObject({ headers: { ':status': 200 } })
  }))

test('an authority with more than host and port is refused', () =>
  rows(['user@127.0.0.1:80', 'user:secret@a.example', '127.0.0.1:80/path', 'a.example#@127.0.0.1', 'a.example\\@b'])(
    async authority => {
      const { session } = open(['127.0.0.1', 'a.example'])
      const answer = await send(session, get(authority)).catch((error: Error) => error)
      expect(answer instanceof Error ? 'failed' : getOutcome(answer)).not.toBe('response')
    },
  ))

test('a secret leaves for its own host alone, and never without encryption: the host of the bus gets the remedy', () =>
  rows([
    ['its host, without encryption', 'http', 'secret.example:443', 'Use https:'],
    ['another host', 'https', 'a.example:443', 'Add the host to "secrets" of its sandbox if "S" is meant for it'],
  ])(async (_name, scheme, authority, remedy) => {
    const { session, denied } = open(['*.example'], resolveTo('127.0.0.1'))
    const request = get(authority, { ':scheme': scheme, authorization: `Bearer ${SECRET.placeholder}` })
    expect(getOutcome(await send(session, request))).toBe('denied')
    expect(denied).toEqual([{ host: authority, hint: `The request has the placeholder of the secret "S". ${remedy}` }])
  }))

test('another scheme, TRACE, and a path without a slash are refused', () =>
  rows([
    ['a path without a slash', { ':path': 'http://other.example/' }],
    ['TRACE', { ':method': 'TRACE' }],
    ['another scheme', { ':scheme': 'ftp' }],
  ])(async (_name, more) => {
    const port = await serve((_request, response) => void response.end())
    const { session } = open(['127.0.0.1:*'])
    expect(await send(session, get(`127.0.0.1:${port}`, more)).then(getOutcome, () => 'failed')).toBe('failed')
  }))

test('headers of the connection and the host are those of the broker', async () => {
  const port = await serve((request, response) => void response.end(JSON.stringify(request.headers)))
  const { session } = open(['127.0.0.1:*'])
  const more = { host: 'other.example', 'proxy-authorization': 'x', expect: '100-continue' }
  const { text } = await send(session, get(`127.0.0.1:${port}`, more))
  expect(JSON.parse(text)).toEqual({ host: `127.0.0.1:${port}`, connection: 'close' })
})

/** A host that answers each head at once, and the bytes of each of its connections. */
async function listenRaw(status = '200 OK') {
  const received: string[] = []
  const closed: string[] = []
  const server = createTcpServer(socket => {
    const at = received.push('') - 1
    socket
      .on('error', () => {})
      .on('close', () => closed.push(received[at]!))
      .on('data', (chunk: Buffer) => {
        received[at] += chunk.toString('latin1')
        if (/^(?:GET|POST|DELETE) /.test(chunk.toString('latin1')))
          socket.write(`HTTP/1.1 ${status}\r\ncontent-length: 2\r\n\r\nok`)
      })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => void server.close())
  return { port: (server.address() as AddressInfo).port, received, closed }
}

test('no request follows another on its connection, and the host knows where a body ends', async () => {
  const { port, received, closed } = await listenRaw()
  const { session } = open(['127.0.0.1:*'])
  const stream = openStream(session, `127.0.0.1:${port}`, 'http').on('error', () => {})
  const cutOff = 'POST /x HTTP/1.1\r\ncontent-length: 900\r\n\r\n'
  stream.write(
    `GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${cutOff.length.toString(16)}\r\n${cutOff}\r\n`,
  )
  stream.once('data', () => stream.close())
  await new Promise<void>(resolve => stream.once('close', resolve))
  await expect.poll(() => closed).toHaveLength(1)
  expect(await send(session, get(`127.0.0.1:${port}`, { ':path': '/second' }))).toMatchObject({ text: 'ok' })
  expect(received).toHaveLength(2)
  expect(received[0]).not.toContain('/second')
  expect(received[0]).toMatch(/\r\ntransfer-encoding: chunked\r\n/i)
})

test('a second request cannot be smuggled in', () =>
  rows([
    ['a length and chunks', 'content-length: 4\r\ntransfer-encoding: chunked\r\n'],
    ['two lengths', 'content-length: 4\r\ncontent-length: 5\r\n'],
    ['an encoding that is not chunked', 'transfer-encoding: chunked, x\r\n'],
    ['a space before the colon', 'transfer-encoding : chunked\r\n'],
    ['a folded header', 'content-length: 4\r\nx-a: a\r\n\ttransfer-encoding: chunked\r\n content-length: 5\r\n'],
  ])(async (_name, lines) => {
    const requests: unknown[] = []
    const port = await serve((request, response) => {
      requests.push(request.url, request.headers['transfer-encoding'])
      request.resume().on('close', () => response.end())
    })
    const { session } = open(['127.0.0.1:*'])
    const stream = openStream(session, `127.0.0.1:${port}`, 'http').on('error', () => {})
    stream.end(`POST / HTTP/1.1\r\nhost: x\r\n${lines}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n`)
    stream.resume()
    await new Promise(resolve => stream.once('close', resolve))
    expect(requests).not.toContain('/smuggled')
    expect(requests).not.toContain('chunked')
  }))

test('a request in HTTP/2 is refused, as there is nothing but connections', async () => {
  const { session } = open(['127.0.0.1:*'])
  const stream = session.request(get('127.0.0.1:80'))
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders]
  expect(headers).toMatchObject({ ':status': 502, [BROKER_OUTCOME]: 'failed' })
})

test('a response of the host cannot pass for one of the broker', async () => {
  const port = await serve((_request, response) => {
    response.writeHead(403, { [BROKER_OUTCOME]: 'denied', [BROKER_REASON]: 'forged' }).end()
  })
  const { session } = open(['127.0.0.1:*'])
  const { headers } = await send(session, get(`127.0.0.1:${port}`))
  expect(headers[':status']).toBe(403)
  expect(Object.keys(headers)).not.toEqual(expect.arrayContaining([expect.stringMatching(/^sallyport-/)]))
})

test('a response without a valid status is an error', async () => {
  const { port } = await listenRaw('099 Odd')
  const { session } = open(['127.0.0.1:*'])
  const { headers } = await send(session, get(`127.0.0.1:${port}`))
  expect(headers).toMatchObject({
    [BROKER_OUTCOME]: 'failed',
    [BROKER_REASON]: expect.stringContaining('sent an invalid response') as string,
  })
})

test('TLS names the host, unless it is an address', () =>
  rows([
    ['localhost', true],
    ['127.0.0.1', false],
  ])(async (host, isNamed) => {
    const { port, received } = await listenRaw()
    const { session } = open(['localhost:*', '127.0.0.1:*'], undefined, [])
    openStream(session, `${host}:${port}`, 'https').on('error', () => {})
    await expect.poll(() => received.join('')).toContain('http/1.1')
    expect(received.join('').includes(host)).toBe(isNamed)
  }))

// Node 20 cannot change its limit.
test.runIf(Number.parseInt(process.versions.node, 10) >= 22)(
  'a frontend that aborts many requests keeps its network',
  async () => {
    const { session } = open(['127.0.0.1:*'])
    for (let aborted = 0; aborted < 1500; aborted++) {
      const stream = openStream(session, 'other.example:80')
      await new Promise<void>(resolve => {
        stream.on('error', () => {}).on('close', resolve)
        stream.close(constants.NGHTTP2_CANCEL)
      })
    }
    expect(getOutcome(await send(session, get('other.example')))).toBe('denied')
  },
)

test('a frontend that ends its connections can open as many at once', async () => {
  const port = await serve((_request, response) => void response.end())
  const { session } = open(['127.0.0.1:*'])
  await once(session, 'remoteSettings')
  const openAll = (): Promise<ClientHttp2Stream[]> =>
    Promise.all(
      Array.from({ length: 128 }, async (_, index) => {
        // Half of them have a reader of their requests.
        const stream = openStream(session, `127.0.0.1:${port}`, index % 2 ? 'http' : undefined)
        await once(stream, 'response')
        return stream.on('error', () => {})
      }),
    )
  let streams = await openAll()
  for (let round = 0; round < 3; round++) {
    for (const stream of streams) stream.destroy(new Error('ended'))
    streams = await openAll()
  }
  expect(streams).toHaveLength(128)
})

test('a connection over which nothing passes for long is ended', () =>
  rows<[string, OutgoingHttpHeaders]>([
    ['a request', {}],
    ['any bytes', { ':method': 'CONNECT', ':scheme': undefined }],
  ])(async (_what, more) => {
    const server = createServer(() => {})
    const port = await listen(server)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const opened = once(server, 'connection')
    void send(open(['127.0.0.1:*']).session, get(`127.0.0.1:${port}`, more)).catch(() => {})
    const [socket] = (await opened) as [Socket]
    for (let minute = 0; minute < 60 && !socket.closed; minute++) {
      vi.advanceTimersByTime(60_000)
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    }
    vi.useRealTimers()
    expect(socket.closed).toBe(true)
  }))

test('a response that is cut off is an error', async () => {
  const port = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('a part', () => response.destroy())
  })
  const { session } = open(['127.0.0.1:*'])
  await expect(send(session, get(`127.0.0.1:${port}`))).rejects.toThrow(/aborted|reset|Premature close/)
})

test('a response that is not read does not fill memory, and does not delay others', async () => {
  const chunk = Buffer.alloc(64 * 1024)
  let written = 0
  const port = await serve((request, response) => {
    if (request.url === '/short') return void response.end('short')
    const write = (): void => {
      do written += chunk.length
      while (response.write(chunk))
      response.once('drain', write)
    }
    write()
  })
  const { session } = open(['127.0.0.1:*'])
  const stream = openStream(session, `127.0.0.1:${port}`)
  stream.on('error', () => {}).write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await new Promise(resolve => stream.once('response', resolve))
  const { text } = await send(session, get(`127.0.0.1:${port}`, { ':path': '/short' }))
  expect(text).toBe('short')
  // Buffers of the system, of both connections and of the window.
  let before = -1
  await expect
    .poll(() => {
      const isStill = written === before
      before = written
      return isStill
    })
    .toBe(true)
  expect(written).toBeLessThan(64 * 1024 * 1024)
  stream.destroy()
})

test('a CONNECT inside a connection whose requests the broker reads ends only that connection', async () => {
  const port = await serve((_request, response) => void response.end('reached'))
  const { session } = open(['127.0.0.1:*'])
  const stream = openStream(session, `127.0.0.1:${port}`, 'http').on('error', () => {})
  stream.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nhost: x\r\n\r\n`)
  await new Promise<void>(resolve => stream.resume().once('close', resolve))
  expect(await send(session, get(`127.0.0.1:${port}`))).toMatchObject({ text: 'reached' })
})

test('a connection that is reset by the chunk that opens it ends no other one', () =>
  rows([
    ['without an error', constants.NGHTTP2_NO_ERROR, {}],
    ['cancelled', constants.NGHTTP2_CANCEL, {}],
    ['whose requests the broker reads', constants.NGHTTP2_CANCEL, { [BROKER_SCHEME]: 'http' }],
  ])(async (_name, code, more) => {
    const answers: Promise<unknown>[] = []
    for (const authority of ['other.example:80', '@', '127.0.0.1:1']) {
      const [inner, outer] = duplexPair()
      const close = serveBroker(outer, { hosts: ['127.0.0.1:*'], secrets: [SECRET] }, () => {})
      closers.push(close)
      const headers = Object.entries({ ':method': 'CONNECT', ':authority': authority, ...more })
      const fields = headers.flatMap(([name, value]) => [
        ...[Buffer.from([0, name.length]), Buffer.from(name)],
        ...[Buffer.from([value.length]), Buffer.from(value)],
      ])
      inner.write(
        Buffer.concat([
          Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
          toFrame(4, 0, 0),
          toFrame(1, 4, 1, Buffer.concat(fields)),
          toFrame(3, 0, 1, Buffer.from([0, 0, 0, code])),
          // A ping, whose answer tells that the others were read.
          toFrame(6, 0, 0, Buffer.alloc(8, 'p')),
        ]),
      )
      answers.push(
        new Promise<void>(resolve => {
          let received = ''
          inner.on('data', (chunk: Buffer) => {
            received += chunk.toString('latin1')
            if (received.includes('pppppppp')) resolve()
          })
        }),
      )
    }
    // An error of one of these would be uncaught, and end the thread.
    await Promise.all(answers)
  }))
