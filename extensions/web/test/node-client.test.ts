// `@sallyport/web/client` in a program of Node.js, which connects by URL.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect as connectSocket, createServer as createNetServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { type Bus, type Channel, createBus, defineCore } from '@sallyport/core'
import { type PageOptions, serveFrontends, type WebServer } from '@sallyport/web'
import { type ConnectOptions, connect, isBusError } from '@sallyport/web/client'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { rows } from '../../../scripts/testing.js'

let ready: (() => void) | undefined
const core = defineCore({
  commands: {
    greet: ({ name }: { name: string }) => `Hello, ${name}!`,
    secret: () => 'secret',
    ready: () => ready?.(),
    wait: () => new Promise<void>(() => ready?.()),
    who: (_args: object, { label }) => label,
    async report({ progress }: { progress: Channel<number> }) {
      for (let i = 0; i < 3; i++) await progress.send(i)
      progress.end()
      return 'reported'
    },
    async *count({ to }: { to: number }) {
      for (let i = 0; i < to; i++) yield i
    },
    async measure({ body }: { body: AsyncIterable<string | Uint8Array> }) {
      const sizes = []
      for await (const value of body) sizes.push(value.length)
      return sizes
    },
  },
})

const allow = ['greet', 'ready', 'wait', 'who', 'report', 'count', 'measure']
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function serve(page: PageOptions = {}, options = {}): Promise<{ bus: Bus; web: WebServer }> {
  const bus = await createBus({ core, log: false, ...options })
  ends.push(() => bus.close({ timeout: 0 }))
  const dir = new URL('./fixtures/', import.meta.url)
  return {
    bus,
    web: await serveFrontends(bus, { frontends: { main: { dir, allow, data: { theme: 'dark' }, ...page } } }),
  }
}

const open = async (options: ConnectOptions) => {
  const client = await connect(options)
  ends.push(() => client.close())
  return client
}

/** Resolves with what the program printed, once it has ended. */
async function run(url: string, task: string): Promise<{ output: unknown; code: number | null; errors: string }> {
  const program = fileURLToPath(new URL('./fixtures/program.mjs', import.meta.url))
  const child = spawn(process.execPath, [program, url, task], { stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = (await closed) as [number | null]
  return { output: output && (JSON.parse(output) as unknown), code, errors }
}

test('a channel below the top level of the arguments is refused', async () => {
  const { web } = await serve()
  const client = await open({ url: web.url })
  const message = expect.stringMatching(/a Channel: pass it as an argument of its own/) as string
  const call = client.invoke('report', { deep: { progress: new client.Channel() } })
  await expect(call).rejects.toMatchObject({ reason: 'InvalidParams', message })
})

describe('a plain program', () => {
  const expected = {
    label: 'main',
    data: { theme: 'dark' },
    greeting: 'Hello, program!',
    report: ['reported', [0, 1, 2]],
    values: [0, 1, 2],
    sizes: [70_000, 4],
    denied: ['BusError', 'Denied'],
  }

  test('calls, streams, uploads, and ends by itself when its client is closed', async () => {
    const { web } = await serve()
    expect(await run(web.url, 'use')).toEqual({ output: expected, code: 0, errors: '' })
  })

  test('exposes functions and streams, and receives events', async () => {
    const { bus, web } = await serve()
    const isReady = new Promise<void>(resolve => (ready = resolve))
    const running = run(web.url, 'serve')
    await isReady
    expect(await bus.call('main', 'double', { value: 21 })).toBe(42)
    const values = []
    for await (const value of bus.stream('main', 'upTo', { count: 3 })) values.push(value)
    expect(values).toEqual([0, 1, 2])
    await bus.emit('done')
    expect(await running).toEqual({ output: 'done', code: 0, errors: '' })
  })
})

test('the package has the same exports for pages and for programs', async () => {
  const page = (await import(new URL('../dist/browser/client.js', import.meta.url).href)) as object
  expect(Object.keys(await import('@sallyport/web/client')).toSorted()).toEqual(Object.keys(page).toSorted())
})

test('a program in an isolated label goes through the hook', async () => {
  const { web } = await serve({}, { isolation: { hookTimeout: 60_000 } })
  const client = await open({ url: web.url })
  expect(await client.invoke('greet', { name: 'gate' })).toBe('Hello, gate!')
})

describe('the URL', () => {
  test('can be that of the WebSocket', async () => {
    const { web } = await serve()
    const client = await open({
      url: new URL('/sallyport', web.url.replace('http', 'ws')).href + new URL(web.url).search,
    })
    expect(await client.invoke('who')).toBe('main')
  })

  test('that is missing, relative or of another protocol is refused', () =>
    rows([
      ['missing', {}, 'needs a `url` in Node.js'],
      ['relative', { url: '/sallyport' }, '`url` must be an absolute URL'],
      ['of another protocol', { url: 'file:///sallyport' }, '`url` must be an absolute URL'],
    ])(async (_name, options: ConnectOptions, message) => {
      await expect(connect(options)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: expect.stringContaining(message) as string,
      })
    }))

  test('can lead to a server of the own, which reads headers', async () => {
    const bus = await createBus({ core, log: false })
    ends.push(() => bus.close({ timeout: 0 }))
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    ends.push(() => server.close())
    await serveFrontends(bus, {
      server,
      authenticate: ({ headers }) => headers['x-user'] as string | undefined,
      frontends: { admin: { allow } },
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = await open({ url, headers: { 'X-User': 'admin' } })
    expect(await client.invoke('who')).toBe('admin')
    await expect(connect({ url, headers: { 'X-User': 'nobody' } })).rejects.toMatchObject({ reason: 'Denied' })
    for (const headers of [{ 'no header': '' }, { authorization: 'Bearer a\ngeheim' }]) {
      const error = await connect({ url, headers }).catch((thrown: unknown) => thrown)
      expect(isBusError(error, 'InvalidParams')).toBe(true)
      expect(inspect(error, { depth: 9 })).not.toContain('geheim')
    }
  })
})

describe('the error', () => {
  test('of a port without a server has its cause, and no token', async () => {
    const error = await connect({ url: 'http://127.0.0.1:1/?token=geheim' }).catch((thrown: unknown) => thrown)
    expect(isBusError(error, 'Disconnected') && error).toMatchObject({
      message: expect.stringContaining('ECONNREFUSED') as string,
      cause: { code: 'ECONNREFUSED' },
      data: { delivered: 'no' },
    })
    expect(String(error)).not.toContain('geheim')
  })

  test('of a wrong token, of no token, and of another site is Denied', async () => {
    const { web } = await serve()
    const url = new URL(web.url)
    const options = [
      { url: `${url.origin}/?token=wrong` },
      { url: url.origin },
      { url: web.url, headers: { origin: 'http://example.com' } },
    ]
    for (const option of options) await expect(connect(option)).rejects.toMatchObject({ reason: 'Denied' })
  })

  test('of a server of another kind is Disconnected', async () => {
    const sockets = new Set<Socket>()
    const server = createServer((_request, response) => response.end('hello'))
    server.on('connection', socket => sockets.add(socket))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    ends.push(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await expect(connect({ url })).rejects.toMatchObject({
      reason: 'Disconnected',
      message: expect.stringContaining('Unexpected server response: 200') as string,
    })
  })

  test('of a WebSocket server that says something else first is Disconnected', () =>
    rows(['hello', '{"type":"connected"}', 'null', Buffer.alloc(1)])(async greeting => {
      const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
      await once(server, 'listening')
      server.on('connection', socket => socket.send(greeting))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await expect(connect({ url })).rejects.toMatchObject({
        reason: 'Disconnected',
        message: 'The server sent no greeting. Check its address.',
      })
      for (const socket of server.clients) socket.terminate()
      server.close()
    }))

  test('of a label that another program has is Disconnected, unless the label is for several', async () => {
    const { web } = await serve()
    await open({ url: web.url })
    await expect(connect({ url: web.url })).rejects.toMatchObject({ reason: 'Disconnected' })
    const several = await serve({ multiple: true })
    const clients = [await open({ url: several.web.url }), await open({ url: several.web.url })]
    expect(await Promise.all(clients.map(client => client.invoke('who')))).toEqual(['main', 'main-2'])
  })

  test('of calls in flight when the client is closed, or its label, is Disconnected', async () => {
    const { bus, web } = await serve()
    for (const end of ['client', 'label']) {
      const client = await open({ url: web.url })
      const isReady = new Promise<void>(resolve => (ready = resolve))
      const call = client.invoke('wait')
      await isReady
      const ending = end === 'client' ? client.close() : bus.closeFrontend('main')
      await expect(call).rejects.toMatchObject({ reason: 'Disconnected' })
      await ending
    }
  })
})

test('the client goes on over another connection when it has lost one', async () => {
  const { bus, web } = await serve()
  const { port } = new URL(web.url)
  // Between program and server, so that the connection can be cut.
  const sockets = new Set<Socket>()
  const proxy = createNetServer(socket => {
    const target = connectSocket(Number(port), '127.0.0.1')
    for (const end of [socket, target]) {
      sockets.add(end)
      end.on('error', () => {})
    }
    socket.pipe(target).pipe(socket)
    socket.on('close', () => target.destroy())
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  ends.push(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/${new URL(web.url).search}`
  const { host } = new URL(web.url)
  const client = await open({ url, headers: { host, origin: `http://${host}` } })
  client.expose({ double: ({ value }) => (value as number) * 2 })
  const events: unknown[] = []
  await client.listen('again', ({ payload }) => events.push(payload))
  for (const socket of sockets) socket.destroy()
  await expect.poll(() => bus.call('main', 'double', { value: 2 }).catch((error: Error) => error.message)).toBe(4)
  await bus.emit('again', 1)
  await expect.poll(() => events).toEqual([1])
})
