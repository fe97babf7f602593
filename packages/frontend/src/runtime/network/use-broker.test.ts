// What `fetch` and sockets report when the broker does not answer, and when it has closed.
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import net from 'node:net'
import { Duplex, duplexPair } from 'node:stream'
import tls from 'node:tls'
import zlib from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ORIGIN_FIELDS } from '@sallyport/protocol/internal/util'
import { rows } from '../../../../../scripts/testing.js'
import { createHttpFetch } from './http-fetch.js'

const CLOSED = { code: 'ERR_NETWORK', message: 'The broker of the network has closed' }

const ENDS: [string, () => unknown][] = [
  ['session', () => session!.destroy()],
  ['pipe', () => outer.destroy()],
]

let opened: Promise<ServerHttp2Stream>
let session: ServerHttp2Session | undefined
let outer: net.Socket
let server: Http2Server
let pipe: Duplex
let fetchByBroker: typeof fetch
let connect: () => net.Socket
let connectTls: (options: tls.ConnectionOptions) => tls.TLSSocket

async function setUp(): Promise<void> {
  const listener = net.createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  pipe = net.connect((listener.address() as net.AddressInfo).port, '127.0.0.1')
  ;[outer] = (await once(listener, 'connection')) as [net.Socket]
  listener.close()
  server = createServer()
  server.on('session', found => void (session = found.on('error', () => {})))
  opened = new Promise(resolve => server.on('stream', stream => resolve(stream.on('error', () => {}))))
  server.emit('connection', outer)
  /** Its own, because its `connect` is replaced. */
  class Socket extends net.Socket {}
  const { getBuiltinModule } = process
  const encrypted = { ...tls }
  const replaced: Record<string, unknown> = { 'node:net': { ...net, Socket }, 'node:tls': encrypted }
  vi.spyOn(process, 'getBuiltinModule').mockImplementation(
    ((name: string) => replaced[name] ?? getBuiltinModule(name)) as typeof getBuiltinModule,
  )
  // The session is a state of its module.
  vi.resetModules()
  fetchByBroker = (await import('./use-broker.js')).createFetch(fetch, false)
  const { openTunnel, replaceConnections, setBroker } = await import('./broker-sockets.js')
  setBroker(() => pipe)
  connect = () => openTunnel(new net.Socket(), { host: 'a.example', port: 80 })
  replaceConnections()
  connectTls = options => encrypted.connect({ ...options, host: 'a.example', port: 443 })
}

function tearDown(): void {
  vi.useRealTimers()
  vi.restoreAllMocks()
  outer.destroy()
}

beforeEach(setUp)
afterEach(tearDown)

/** Tries rows with a broker for each. */
const rowsAlone = <const Row extends readonly unknown[]>(table: readonly Row[], check: (...row: [...Row]) => unknown) =>
  rows(table)(async (...row: [...Row]) => {
    tearDown()
    await setUp()
    await check(...row)
  })

test('a connect that is not answered ends after 10 s, also after an abort of its request', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const aborted = new AbortController()
  const requests = [aborted.signal, undefined].map((signal, index) =>
    fetchByBroker(`http://${index}.example/`, { signal: signal ?? null }).catch((error: unknown) => error),
  )
  const stream = await opened
  aborted.abort('stop')
  expect(await requests[0]).toBe('stop')
  expect(stream.destroyed).toBe(false)
  vi.advanceTimersByTime(10_000)
  expect(await requests[1]).toMatchObject({ cause: { code: 'UND_ERR_CONNECT_TIMEOUT' } })
  await expect.poll(() => stream.destroyed).toBe(true)
})

test('a connection that is open has no such timeout', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const answered = fetchByBroker('http://a.example/')
  const stream = await opened
  stream.respond({ ':status': 200, 'sallyport-outcome': 'response' })
  await once(stream, 'data')
  vi.advanceTimersByTime(10_000)
  stream.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
  expect(await (await answered).text()).toBe('ok')
})

test('what connects fails if the broker or its connection ends, and so does what connects later', () =>
  rowsAlone(ENDS, async (_name, end) => {
    const request = fetchByBroker('http://a.example/')
    const socket = connect()
    await opened
    end()
    await Promise.all([
      expect(request).rejects.toMatchObject({ cause: { code: CLOSED.code } }),
      expect(once(socket, 'connect')).rejects.toMatchObject({ code: CLOSED.code }),
    ])
    await expect(fetchByBroker('http://b.example/')).rejects.toMatchObject({ message: 'fetch failed', cause: CLOSED })
    const later = connect()
    // `node:tls` would lose the error of a socket that fails at once.
    expect(later).toMatchObject({ connecting: true, destroyed: false })
    await expect(once(later, 'connect')).rejects.toMatchObject(CLOSED)
  }))

/** A pipe to a broker in this thread. What the broker writes waits while it is held. */
function holdPipe() {
  let held: Buffer[] | undefined
  const far = new Duplex({
    read: () => {},
    write(chunk: Buffer, _encoding, done) {
      if (held) held.push(chunk)
      else near.push(chunk)
      done()
    },
  })
  const near = new Duplex({
    read: () => {},
    write: (chunk, _encoding, done) => (far.push(chunk), done()),
    final: done => done(),
  })
  pipe = near
  server.emit('connection', far)
  const hold = (): Buffer[] => (held = [])
  const release = (): void => {
    for (const chunk of held ?? []) near.push(chunk)
    held = undefined
  }
  return { near, hold, release }
}

test('a session ends a minute after the last answer of its broker, if a request waits', () =>
  rowsAlone(
    [
      ['answers', false, true, 600_000, true],
      ['does not answer yet', true, true, 60_000, true],
      ['does not answer', true, true, 80_000, false],
      ['does not answer, and nobody waits', true, false, 600_000, true],
    ],
    async (_what, isHeld, waits, ms, lives) => {
      const { hold, release } = holdPipe()
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
      const socket = connect()
      const errors: unknown[] = []
      socket.on('error', error => errors.push(error))
      const stream = await opened
      stream.respond({ ':status': 200, 'sallyport-outcome': 'response' })
      await once(socket, 'connect')
      if (!waits) {
        socket.destroy()
        await new Promise(resolve => stream.once('close', resolve))
      }
      if (isHeld) hold()
      for (let passed = 0; passed < ms; passed += 5000) {
        vi.advanceTimersByTime(5000)
        // A ping, its answer, and what they cause.
        for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
      }
      const late = { code: 'ERR_NETWORK', message: 'The broker did not answer for 60000 ms' }
      expect(errors).toMatchObject(lives ? [] : [late])
      if (!lives) return
      release()
      server.on('stream', later => later.respond({ ':status': 200, 'sallyport-outcome': 'response' }))
      await once(connect(), 'connect')
    },
  ))

const END = (stream: ServerHttp2Stream): unknown => stream.end()
const RESET = (stream: ServerHttp2Stream): void => stream.close(constants.NGHTTP2_INTERNAL_ERROR)

test('a body whose connection ends or is reset in the chunk of its head', () =>
  rowsAlone(
    [
      ['content-length: 100\r\n', 'ends', END, 'terminated'],
      ['content-length: 100\r\n', 'is reset', RESET, 'terminated'],
      ['', 'ends', END, 'a part'],
      ['', 'is reset', RESET, 'terminated'],
    ],
    async (header, _name, end, outcome) => {
      const { near, hold } = holdPipe()
      const answered = fetchByBroker('http://a.example/')
      const stream = await opened
      stream.respond({ ':status': 200, 'sallyport-outcome': 'response' })
      await once(stream, 'data')
      const held = hold()
      const part = `HTTP/1.1 200 OK\r\n${header}\r\na part`
      stream.write(part, () => end(stream))
      // Two frames, with a head of 9 bytes each.
      await expect.poll(() => Buffer.concat(held).length).toBeGreaterThanOrEqual(part.length + 18)
      near.push(Buffer.concat(held))
      expect(await (await answered).text().catch((error: Error) => error.message)).toBe(outcome)
    },
  ))

test('a body without a length is not whole if the broker or its connection ends', () =>
  rowsAlone(ENDS, async (_name, end) => {
    const answered = fetchByBroker('http://a.example/')
    const stream = await opened
    stream.respond({ ':status': 200, 'sallyport-outcome': 'response' })
    await once(stream, 'data')
    stream.write('HTTP/1.1 200 OK\r\n\r\na part')
    const response = await answered
    end()
    await expect(response.text()).rejects.toMatchObject({ message: 'terminated', cause: CLOSED })
  }))

test('requests beyond the connections get those that have no request, or time out', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let answers = true
  server.on('stream', stream => {
    stream.on('data', () => void stream.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
    if (answers) stream.respond({ ':status': 200, 'sallyport-outcome': 'response' })
  })
  const fetchAll = (name: string): Promise<unknown[]> =>
    Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        fetchByBroker(`http://${name}${index}.example/`).then(
          response => response.text(),
          (error: Error) => (error.cause as NodeJS.ErrnoException).code,
        ),
      ),
    )
  expect(new Set(await fetchAll('a'))).toEqual(new Set(['ok']))
  answers = false
  const unanswered = fetchAll('b')
  let isOver = false
  void unanswered.then(() => (isOver = true))
  // Node begins some of the connects in later turns.
  while (!isOver) {
    vi.advanceTimersByTime(10_000)
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(new Set(await unanswered)).toEqual(new Set(['UND_ERR_CONNECT_TIMEOUT']))
  answers = true
  expect(new Set(await fetchAll('c'))).toEqual(new Set(['ok']))
})

test('connections that were reset while they were writing do not keep later ones from opening', async () => {
  server.on('stream', stream => stream.respond({ ':status': 200, 'sallyport-outcome': 'response' }))
  for (let made = 0; made < 40; made++) {
    const socket = connect()
    await once(socket, 'connect')
    socket.write(Buffer.alloc(2 ** 19))
    await new Promise(resolve => setImmediate(resolve))
    socket.destroy()
  }
})

test('what is sent meanwhile does not wait for the end of a large write', async () => {
  const received: number[] = []
  let before: number | undefined
  server.on('stream', stream => {
    const at = received.push(0) - 1
    stream.respond({ ':status': 200, 'sallyport-outcome': 'response' })
    stream.on('data', (chunk: Buffer) => {
      received[at]! += chunk.length
      if (at === 1) before = received[0]
    })
  })
  // They end with their session.
  const [large, small] = [connect(), connect()].map(socket => socket.on('error', () => {})) as [net.Socket, net.Socket]
  await Promise.all([large, small].map(socket => once(socket, 'connect')))
  large.write(Buffer.alloc(2 ** 25))
  await expect.poll(() => received[0]).toBeGreaterThan(0)
  small.write('it')
  await expect.poll(() => received).toEqual([2 ** 25, 2])
  expect(before).toBeLessThan(2 ** 24)
})

test('a socket of node:tls that is writing when the session ends emits one error', async () => {
  const shared = { ciphers: 'PSK', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const
  const psk = Buffer.alloc(16, 1)
  const host = tls.createServer({ ...shared, pskCallback: () => psk })
  const socket = connectTls({
    ...{ ...shared, pskCallback: () => ({ psk, identity: 'a' }), checkServerIdentity: () => undefined },
  })
  const errors: unknown[] = []
  socket.on('error', error => void errors.push(error))
  const stream = await opened
  stream.respond({ ':status': 200, 'sallyport-outcome': 'response' })
  host.emit('connection', stream)
  await once(socket, 'secureConnect')
  // More than the host reads, which reads nothing.
  socket.write(Buffer.alloc(2 ** 20))
  session!.destroy(new Error('fault'))
  await new Promise(resolve => socket.once('close', resolve))
  // Node's next error would come in one of these turns.
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
  expect(errors).toHaveLength(1)
})

test('an abort rejects with what Node rejects with', () =>
  rowsAlone([[null], [undefined], ['stop']], async reason => {
    const aborted = new AbortController()
    const request = fetchByBroker('http://a.example/', { signal: aborted.signal })
    await opened
    aborted.abort(reason)
    await expect(request).rejects.toBe(aborted.signal.reason)
  }))

/** `fetch` as it is in Deno, over connections to this server. */
function fetchOverHttp(handler?: RequestListener): typeof fetch {
  const host = createHttpServer(handler)
  return createHttpFetch((_target, callback) => {
    if (!handler) return callback(new Error('no way'), null)
    const [inner, far] = duplexPair()
    host.emit('connection', far)
    callback(null, Object.assign(inner, { setKeepAlive() {}, setNoDelay() {}, setTimeout() {}, ref() {}, unref() {} }))
  })
}

test('a body is decoded over node:http, too, whatever has encoded it', () =>
  rows<[string, (text: string) => Buffer]>([
    ['gzip', zlib.gzipSync],
    ['x-gzip', zlib.gzipSync],
    ['deflate', zlib.deflateSync],
    ['br', zlib.brotliCompressSync],
    ['identity', Buffer.from],
  ])(async (encoding, encode) => {
    const answer = fetchOverHttp((_request, response) => {
      response.setHeader('content-encoding', encoding).end(encode('hello'))
    })
    expect(await (await answer('http://a.example/')).text()).toBe('hello')
  }))

test('a redirect over node:http takes credentials to no other origin', async () => {
  const fetch = fetchOverHttp(({ headers, url }, response) => {
    if (url === '/') response.writeHead(302, { location: 'http://b.example/end' })
    response.end(JSON.stringify(headers))
  })
  const headers = Object.fromEntries(ORIGIN_FIELDS.map(name => [name, 'secret']))
  const answer = await fetch('http://a.example/', { headers: { ...headers, 'x-kept': 'yes' } })
  const received = (await answer.json()) as Record<string, string>
  expect(Object.keys(received).filter(name => ORIGIN_FIELDS.includes(name))).toEqual(['host'])
  expect(received).toMatchObject({ host: 'b.example', 'x-kept': 'yes' })
})

test('a request over node:http whose connection fails is rejected with the cause', async () => {
  const failed = vi.fn<(error: Error) => void>()
  fetchOverHttp()('http://a.example/').catch(failed)
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
  expect(failed.mock.calls).toMatchObject([[{ message: 'fetch failed', cause: { message: 'no way' } }]])
})
