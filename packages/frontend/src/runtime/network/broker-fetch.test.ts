// What `fetch` and sockets report when the broker does not answer, and when it has closed.
import { once } from 'node:events'
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import net from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const CLOSED = { code: 'ERR_NETWORK', message: 'The broker of the network has closed' }

let opened: Promise<ServerHttp2Stream>
let session: ServerHttp2Session | undefined
let outer: net.Socket
let fetchByBroker: typeof fetch
let connect: () => net.Socket

beforeEach(async () => {
  const listener = net.createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const inner = net.connect((listener.address() as net.AddressInfo).port, '127.0.0.1')
  ;[outer] = (await once(listener, 'connection')) as [net.Socket]
  listener.close()
  const server = createServer()
  server.on('session', found => void (session = found.on('error', () => {})))
  opened = new Promise(resolve => server.on('stream', stream => resolve(stream.on('error', () => {}))))
  server.emit('connection', outer)
  /** The pipe of the process, which a test does not have. */
  class Socket extends net.Socket {
    constructor(options?: net.SocketConstructorOpts) {
      super(options?.fd === undefined ? options : {})
      if (options?.fd !== undefined) return inner
    }
  }
  const { getBuiltinModule } = process
  vi.spyOn(process, 'getBuiltinModule').mockImplementation(((name: string) =>
    name === 'node:net' ? { ...net, Socket } : getBuiltinModule(name)) as typeof getBuiltinModule)
  // The session is a state of its module.
  vi.resetModules()
  fetchByBroker = (await import('./broker-fetch.js')).createFetch(fetch, false)
  const { openTunnel } = await import('./broker-sockets.js')
  connect = () => openTunnel(new net.Socket(), { host: 'a.example', port: 80 })
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  outer.destroy()
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
  if (!stream.destroyed) await once(stream, 'close')
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

test.each([
  ['session', () => session!.destroy()],
  ['pipe', () => void outer.destroy()],
])('what connects fails if the %s ends, and so does what connects later', async (_name, end) => {
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
})

test.each([null, undefined, 'stop'])(
  'an abort with the reason %j rejects with what Node rejects with',
  async reason => {
    const aborted = new AbortController()
    const request = fetchByBroker('http://a.example/', { signal: aborted.signal })
    await opened
    aborted.abort(reason)
    await expect(request).rejects.toBe(aborted.signal.reason)
  },
)
