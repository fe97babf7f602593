// A frontend whose network is a list of hosts: what it reaches over the broker, and what it does not.
import { execFile } from 'node:child_process'
import type { ProcessSandbox } from '../../../src/life/sandboxes/process.js'
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { type Bus, type BusEvents, defineCore } from '../../../src/index.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { CAN_DENY_NET } from '../../../../process/src/permission-model/module-code.js'
import { createCertificate } from '../../support/certificate.js'
import { fixture, start } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const module = fixture('sandboxes/fetching.mjs')
const core = defineCore({})
const hasWall = (await findWall()).launcher !== undefined
const places: Partial<ProcessSandbox>[] = [
  ...(hasWall ? [{ wall: 'required' as const }] : []),
  ...(CAN_DENY_NET ? [{ wall: 'none' as const }] : []),
]
const threads = CAN_DENY_NET ? [{ kind: 'permission' as const }] : []
const [strongest, ...others] = [...places, ...threads]

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(
  handler: RequestListener,
  onUpgrade?: (request: IncomingMessage, socket: Duplex) => void,
): Promise<{ origin: string; host: string; port: number }> {
  const server = createServer(handler)
  if (onUpgrade) server.on('upgrade', onUpgrade)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, port }
}

/** A server of WebSockets that sends each frame of up to 65535 bytes back, also the one that closes. */
function acceptWebSocket(request: IncomingMessage, socket: Duplex): void {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accept = createHash('sha1').update(key).digest('base64')
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  socket.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`)
  let received = Buffer.alloc(0)
  socket
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 2) {
        const isLong = (received[1]! & 0x7f) === 126
        const start = isLong ? 8 : 6
        if (received.length < start) return
        const length = isLong ? received.readUInt16BE(2) : received[1]! & 0x7f
        if (received.length < start + length) return
        const mask = received.subarray(start - 4, start)
        const payload = received.subarray(start, start + length).map((byte, index) => byte ^ mask[index % 4]!)
        const size = isLong ? [126, length >> 8, length & 0xff] : [length]
        socket.write(Buffer.concat([Buffer.from([received[0]!, ...size]), payload]))
        if ((received[0]! & 0x0f) === 8) socket.end()
        received = received.subarray(start + length)
      }
    })
}

interface Opened {
  bus: Bus
  denied: BusEvents['denied'][]
  fetch: (url: string, init?: object) => Promise<Record<string, unknown>>
  request: (url: string, options?: object) => Promise<Record<string, unknown>>
}

async function open(sandbox: Partial<Omit<ProcessSandbox, 'kind'>>): Promise<Opened> {
  const bus = await start({ core })
  const denied: BusEvents['denied'][] = []
  bus.on('denied', event => void denied.push(event))
  await bus.open('main', module, { sandbox: { kind: 'process', ...sandbox } as ProcessSandbox })
  const call = (name: string, args: object) => bus.call('main', name, args) as Promise<Record<string, unknown>>
  return {
    ...{ bus, denied },
    fetch: (url, init) => call('fetch', { url, init }),
    request: (url, options) => call('request', { url, options }),
  }
}

describe.each(strongest ? choose([strongest, ...others], 0) : [])('in %j', place => {
  const isThread = 'kind' in place && place.kind === 'permission'

  test('fetch, node:http and packages that use these reach a listed host', async () => {
    const { origin, host } = await serve((request, response) => {
      request.setEncoding('utf8').on('data', text => void response.write(text))
      request.on('end', () => void response.end(`${request.method} ${String(request.headers['x-a'] ?? '')}`))
    })
    const { fetch, request } = await open({ ...place, net: [host] })
    expect(await fetch(`${origin}/a#b`, { headers: { 'x-a': '1' } })).toMatchObject({
      ...{ status: 200, url: `${origin}/a`, redirected: false, text: 'GET 1' },
    })
    expect(await fetch(origin, { method: 'POST', body: 'body ' })).toMatchObject({ text: 'body POST ' })
    expect(await request(origin)).toEqual({ status: 200, text: 'GET ' })
    expect(await request(origin, { body: 'body ' })).toEqual({ status: 200, text: 'body POST ' })
  })

  test('node:net and packages that connect by it reach a listed host, and no other one', async () => {
    const server = createTcpServer({ allowHalfOpen: true }, socket => socket.on('error', () => {}).pipe(socket))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { bus, denied } = await open({ ...place, net: [`127.0.0.1:${port}`] })
    const talk = (how: string, to = port) => bus.call('main', 'talk', { host: '127.0.0.1', port: to, text: 'ä', how })
    for (const how of ['options', 'arguments', 'created', 'socket']) {
      expect(await talk(how)).toEqual({ answer: 'ä', connecting: false })
      expect(await talk(how, port + 1)).toMatchObject({ code: 'ERR_ACCESS_DENIED' })
    }
    const encrypted = { host: 'localhost', port, text: '', how: 'tls' }
    expect(await bus.call('main', 'talk', encrypted)).toMatchObject({ code: 'ERR_ACCESS_DENIED' })
    await expect.poll(() => denied.length).toBe(5)
    expect(await bus.call('main', 'reconnect', { port })).toEqual(['one', 'two'])
  })

  test('a socket that a client of a database makes first is connected, and encrypted later', async () => {
    const { key, cert, remove } = createCertificate()
    closers.push(remove)
    const ca = readFileSync(cert, 'utf8')
    const secureContext = createSecureContext({ key: readFileSync(key), cert: ca })
    const server = createTcpServer(socket => {
      socket
        .on('error', () => {})
        .once('data', question => {
          socket.write(`${String(question)}s`)
          const encrypted = new TLSSocket(socket, { isServer: true, secureContext })
          encrypted.on('error', () => {}).pipe(encrypted)
        })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { bus } = await open({ ...place, net: [`localhost:${port}`] })
    expect(await bus.call('main', 'upgrade', { host: 'localhost', port, text: 'ä', ca })).toBe('ä')
  })

  test('what a host sends before it ends is read later, also if the frontend has ended', () =>
    rows([true, false])(async ends => {
      const length = 30_000
      let isSent = (): void => {}
      const sent = new Promise<void>(resolve => (isSent = resolve))
      const server = createTcpServer({ allowHalfOpen: true }, socket => {
        socket.on('error', () => {}).on(ends ? 'close' : 'finish', isSent)
        socket.resume().once(ends ? 'end' : 'data', () => socket.end(Buffer.alloc(length)))
      })
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      closers.push(() => void server.close())
      const { port } = server.address() as AddressInfo
      const { bus } = await open({ ...place, net: [`127.0.0.1:${port}`] })
      await bus.call('main', 'connect', { port, text: 'a', ends })
      await sent
      expect(await bus.call('main', 'readOpened')).toBe(length)
    }))

  test('a request of node:http to a host that sends nothing has its timeout', async () => {
    const { origin, host } = await serve(() => {})
    const { request } = await open({ ...place, net: [host] })
    expect(await request(origin, { timeout: 1 })).toMatchObject({ error: 'timeout' })
  })

  test('a Unix socket of the host is not reached', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'socket-'))
    closers.push(() => rmSync(directory, { recursive: true }))
    const path = join(directory, 'socket')
    let count = 0
    const server = createTcpServer(socket => (count++, socket.end('reached')))
    await new Promise<void>(resolve => server.listen(path, resolve))
    closers.push(() => void server.close())
    const { bus, request } = await open({ ...place, net: ['*:*'], read: [directory] })
    const denied = { code: expect.stringMatching(/^(EACCES|ENOENT|ERR_ACCESS_DENIED)$/) as string }
    expect(await bus.call('main', 'talk', { host: path, text: '', how: 'path' })).toMatchObject(denied)
    expect(await request('http://a.example/', { socketPath: path })).toMatchObject(denied)
    expect(count).toBe(0)
  })

  test('nothing but the broker reaches the host', async () => {
    let count = 0
    const server = createTcpServer(socket => (count++, socket.destroy()))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const datagrams = createSocket('udp4', () => count++)
    await new Promise<void>(resolve => datagrams.bind(0, '127.0.0.1', resolve))
    closers.push(
      () => void server.close(),
      () => void datagrams.close(),
    )
    const { bus } = await open({ ...place, net: ['api.example'] })
    const [tcp, udp] = [(server.address() as AddressInfo).port, datagrams.address().port]
    const outcomes = (await bus.call('main', 'bypass', { tcp, udp })) as object
    expect(Object.values(outcomes)).not.toContain('reached')
    expect(Object.keys(outcomes)).toHaveLength(11)
    expect(count).toBe(0)
  })

  test('closing the bus leaves no connection: of a request, and of a tunnel', async () => {
    const sockets = new Set<Socket>()
    const { origin, host, port } = await serve((request, response) => {
      sockets.add(request.socket)
      response.write('a part')
      if (request.url === '/ended') response.end()
    })
    const { bus, fetch, request } = await open({ ...place, net: [host] })
    await fetch(`${origin}/ended`)
    const calls = [
      fetch(origin),
      request(origin),
      bus.call('main', 'talk', { host: '127.0.0.1', port, text: 'GET /t HTTP/1.1\r\nhost: x\r\n\r\n', how: 'options' }),
    ]
    for (const call of calls) void call.catch(() => {})
    await expect.poll(() => sockets.size).toBeGreaterThanOrEqual(3)
    await bus.close({ timeout: 0 })
    await expect.poll(() => [...sockets].every(socket => socket.destroyed)).toBe(true)
  })

  test('node:tls reaches a listed host, and verifies it', async () => {
    const { key, cert, remove } = createCertificate()
    closers.push(remove)
    const ca = readFileSync(cert, 'utf8')
    const server = createTlsServer({ key: readFileSync(key), cert: ca, allowHalfOpen: true }, socket =>
      socket.on('error', () => {}).pipe(socket),
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { bus } = await open({ ...place, net: [`localhost:${port}`] })
    const talk = (how: string, more: object) =>
      bus.call('main', 'talk', { host: 'localhost', port, text: 'ä', how, ...more })
    expect(await talk('tls', { ca })).toMatchObject({ answer: 'ä' })
    expect(await talk('tlsArguments', { ca })).toMatchObject({ answer: 'ä' })
    expect(await talk('tls', {})).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  })

  test.runIf('WebSocket' in globalThis)('WebSocket reaches a listed host, and no other one', async () => {
    const { port } = await serve(() => {}, acceptWebSocket)
    const { bus, denied } = await open({ ...place, net: [`127.0.0.1:${port}`] })
    const texts = ['one', 'ä'.repeat(100)]
    const send = (host: string) => bus.call('main', 'webSocket', { url: `ws://${host}/`, texts })
    expect(await send(`127.0.0.1:${port}`)).toEqual({ received: texts, wasClean: true })
    expect(await send(`localhost:${port}`)).toEqual({ received: ['error'] })
    await expect.poll(() => denied).toMatchObject([{ command: `net localhost:${port}` }])
  })

  test('another host is denied, with the entry to add in the error and in the event', async () => {
    const { origin, host } = await serve((_request, response) => void response.end())
    const { fetch, request, denied } = await open({ ...place, net: ['api.example', '127.0.0.1:8'] })
    // One that is not there fails as with fetch, and is not a denial.
    const cause = expect.stringContaining('ECONNREFUSED') as string
    expect(await fetch('http://127.0.0.1:8')).toMatchObject({ error: 'fetch failed', cause })
    const text = `The sandbox denied the network to ${host}. Allow it with "${host}" in "net" of its sandbox.`
    for (const send of [fetch, request]) {
      expect(await send(origin)).toMatchObject({ error: text, code: 'ERR_ACCESS_DENIED' })
    }
    const event = { label: 'main', command: `net ${host}`, hint: `Add "${host}" to "net" of its sandbox` }
    await expect.poll(() => denied).toEqual([event, event])
  })

  test('a redirect is followed to a listed host, and not to another one', async () => {
    const target = await serve((request, response) => void response.end(`${request.headers.authorization}`))
    const other = await serve((_request, response) => void response.end('reached'))
    const { origin, host } = await serve((request, response) => {
      const [, path = ''] = request.url!.split('/')
      const name = `${'a'.repeat(64)}.example`
      const locations = { listed: [target.origin], long: [`http://${name}`], twice: ['http://', name] }
      const location = locations[path as 'long'] ?? [other.origin]
      response
        .writeHead(
          302,
          location.flatMap(each => ['location', each]),
        )
        .end()
    })
    const { fetch } = await open({ ...place, net: [host, target.host] })
    const headers = { authorization: 'x' }
    expect(await fetch(`${origin}/listed`, { headers })).toMatchObject({ redirected: true, text: 'undefined' })
    expect(await fetch(`${origin}/other`)).toMatchObject({ code: 'ERR_ACCESS_DENIED' })
    // From Node.js 26 on, a parser reads long hosts in linear time, and the broker refuses them. Node joins the values of two fields.
    const isLinear = Number.parseInt(process.versions.node) >= 26
    const texts = isLinear
      ? { long: 'Invalid request', twice: '' }
      : { long: 'longer than 253', twice: 'longer than 253' }
    for (const [path, text] of Object.entries(texts)) {
      const cause = expect.stringContaining(text) as string
      expect(await fetch(`${origin}/${path}`)).toMatchObject({ error: 'fetch failed', cause })
    }
    expect(await fetch(`${origin}/other`, { redirect: 'manual' })).toMatchObject({ status: 302 })
    expect(await fetch(`${origin}/listed`, { redirect: 'error' })).toMatchObject({ error: 'fetch failed' })
  })

  test('a private address is reached only by its own entry', async () => {
    const { port } = await serve((_request, response) => void response.end('reached'))
    const { fetch, request } = await open({ ...place, net: ['*:*'] })
    for (const host of ['127.0.0.1', 'localhost', '2130706433', '0x7f000001', '[::1]', '[::ffff:127.0.0.1]']) {
      expect(await fetch(`http://${host}:${port}`)).toMatchObject({ code: 'ERR_ACCESS_DENIED' })
    }
    expect(await request(`http://127.0.0.1:${port}`)).toMatchObject({ code: 'ERR_ACCESS_DENIED' })
    // The machine's own name has a private address, or none.
    expect(await fetch(`http://${hostname()}:${port}`)).toHaveProperty('error')
  })

  test('credentials in a URL, and variables for proxies, have no effect', async () => {
    const { host } = await serve((_request, response) => void response.end('reached'))
    const proxy = await serve((_request, response) => void response.end('proxy'))
    const { bus, fetch } = await open({ ...place, net: [host] })
    for (const name of ['HTTP_PROXY', 'http_proxy', 'NODE_USE_ENV_PROXY', 'ALL_PROXY']) {
      await bus.call('main', 'setVariable', { name, value: name.startsWith('NODE') ? '1' : proxy.origin })
    }
    expect(await fetch(`http://${host}`)).toMatchObject({ text: 'reached' })
    expect(await fetch(`http://${proxy.host}`)).toMatchObject({ code: 'ERR_ACCESS_DENIED' })
    expect(await fetch(`http://${host}@${proxy.host}`)).toHaveProperty('error')
  })

  test('a compressed body is decompressed, and a body that is cut off is an error', async () => {
    const { origin, host } = await serve((request, response) => {
      if (request.url === '/cut') {
        response.writeHead(200, { 'content-length': 100 })
        return void response.write('a part', () => response.destroy())
      }
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('plain'))
    })
    const { fetch } = await open({ ...place, net: [host] })
    expect(await fetch(origin)).toMatchObject({ text: 'plain' })
    expect(await fetch(`${origin}/cut`)).toMatchObject({ error: 'terminated' })
  })

  test('closing a frontend closes its connections', async () => {
    const sockets: Socket[] = []
    const { origin, host } = await serve((request, response) => {
      sockets.push(request.socket)
      response.write('a part')
    })
    const { bus, fetch } = await open({ ...place, net: [host] })
    void fetch(origin).catch(() => {})
    await expect.poll(() => sockets.length).toBe(1)
    await bus.closeFrontend('main', { timeout: 0 })
    await expect.poll(() => sockets[0]?.destroyed).toBe(true)
  })

  test.skipIf(isThread)('a process that waits as a spare gets the list of its frontend', async () => {
    const { origin, host } = await serve((_request, response) => void response.end('reached'))
    const bus = await start({ core })
    for (const label of ['one', 'two']) {
      await bus.open(label, module, {
        sandbox: { kind: 'process', ...place, spares: 1, net: [host] } as ProcessSandbox,
      })
      expect(await bus.call(label, 'fetch', { url: origin })).toMatchObject({ text: 'reached' })
    }
  })

  test('getSecret returns the placeholder of a secret, and refuses another name', async () => {
    const secrets = { TOKEN: { value: 'a-secret', hosts: ['api.example'] } }
    const { bus } = await open({ ...place, net: ['api.example'], secrets })
    const { TOKEN } = (await bus.call('main', 'env')) as Record<string, string>
    expect(TOKEN).toMatch(/^sallyport-secret-/)
    expect(await bus.call('main', 'secret', { name: 'TOKEN' })).toBe(TOKEN)
    for (const name of ['OTHER', 'toString']) {
      await expect(bus.call('main', 'secret', { name })).rejects.toThrow(`This frontend has no secret "${name}".`)
    }
  })

  test('a secret is in the headers of its host alone, and nowhere in the frontend', async () => {
    const { key, cert, remove } = createCertificate()
    closers.push(remove)
    const value = 'a-secret-value-of-the-test'
    const host = fileURLToPath(fixture('sandboxes/secret-host.mjs'))
    const { stdout } = await promisify(execFile)(process.execPath, [host, key, cert, value, JSON.stringify(place)], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: cert },
      maxBuffer: 2 ** 24,
    })
    const { received, ...visible } = JSON.parse(stdout) as Record<string, Record<string, unknown>> & {
      received: Record<string, string | undefined>[]
    }
    const {
      env,
      named,
      inUrl,
      other,
      otherUrl,
      redirected,
      redirectedWithout,
      tunnel,
      trusted,
      plain,
      misnamed,
      memory,
      processes,
      events,
      feed,
      log,
    } = visible
    expect(env).toEqual({
      TZ: expect.any(String) as string,
      TOKEN: expect.stringMatching(/^sallyport-secret-[\da-f]{32}$/) as string,
    })
    for (const answered of [named, inUrl, redirectedWithout, tunnel, trusted, plain])
      expect(answered).toMatchObject({ status: 200 })
    for (const refused of [other, otherUrl, redirected]) {
      expect(refused).toMatchObject({
        error: expect.stringContaining('The secret "TOKEN" is for other hosts') as string,
      })
    }
    // The certificate has no such name.
    expect(misnamed).toMatchObject({ error: 'fetch failed', cause: expect.stringContaining('ALTNAME') as string })
    const token = String(env?.['TOKEN'])
    const seen = received.map(({ url, authorization, 'x-api-key': key }) => [url, authorization ?? key])
    expect(seen).toEqual([
      ['/', `Bearer ${value}`],
      [`/?${token}`, undefined],
      ['/redirect', `Bearer ${value}`],
      ['/redirect', `Bearer ${value}`],
      ['/', undefined],
      // Encrypted in the frontend, so that the broker sees no headers.
      ['/', token],
      ['/trusted', undefined],
      ['/plain', undefined],
    ])
    expect(memory).toEqual({ hasSecret: false, hasPlaceholder: true })
    expect(processes).toEqual(isThread ? [] : [token])
    // What is searched for the value below was seen there.
    for (const searched of [feed, log]) expect(JSON.stringify(searched)).toContain('The request has the placeholder')
    expect(events).toHaveLength(3)
    expect(JSON.stringify(visible)).not.toContain(value)
  })
})

test.runIf(others.length > 0)('frontends in other places reach a listed host, and no other one', () =>
  rows(others)(async place => {
    const { origin, host, port } = await serve((_request, response) => void response.end('reached'))
    const { fetch } = await open({ ...place, net: [host] })
    expect(await fetch(origin)).toMatchObject({ text: 'reached' })
    expect(await fetch(`http://localhost:${port}`)).toMatchObject({ code: 'ERR_ACCESS_DENIED' })
  }),
)

test('options are refused without their secrets', () =>
  rows([
    [{ net: ['http://a.example'] }, /net\[0\] must be a host, such as "api\.github\.com"/],
    [{ net: [] }, /net must be an array with at least one host/],
    [{ net: 'a.example' }, /net must be true, false or an array of hosts/],
    [
      { net: ['a.example'], secrets: { TOKEN: { value: 'a-secret', hosts: ['b.example'] } } },
      /sandbox\.secrets\.TOKEN\.hosts must be hosts of "net": add "b\.example" to that list/,
    ],
    [{ secrets: { TOKEN: { value: 'a-secret', hosts: ['b.example'] } } }, /add "b\.example" to that list/],
    [
      { net: ['a.example'], secrets: { TOKEN: { value: 'a-secret\n', hosts: ['a.example'] } } },
      /value must be a string of/,
    ],
    [{ net: ['a.example'], secrets: { 'a-secret b': { value: 'x', hosts: ['a.example'] } } }, /environment variable/],
  ])(async (sandbox, text) => {
    const bus = await start({ core })
    const error = await bus
      .open('main', module, { sandbox: { kind: 'process', ...sandbox } as never })
      .catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ reason: 'InvalidParams', message: expect.stringMatching(text) as string })
    expect((error as Error).message).not.toContain("'a-secret")
  }))

test.runIf(!CAN_DENY_NET)('a list is refused where nothing closes the network, with the remedies', async () => {
  const bus = await start({ core })
  for (const sandbox of [{ kind: 'process', wall: 'none' } as const, { kind: 'permission' } as const]) {
    const opened = bus.open('main', module, { sandbox: { ...sandbox, net: ['a.example'] } })
    await expect(opened).rejects.toThrow(/net must not be a list of hosts: Node\.js before 25 .* in a wall/)
  }
})
