// In a server of the host's own: its check decides which page has which label, and the rest of the server stays as it is.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { type Bus, createBus, defineCore } from '@sallyport/core'
import { serveFrontends, type WebServer } from '@sallyport/web'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { call, connect, get, tryConnect } from './raw.ts'
import { ODD_ANSWERS } from '../../../scripts/odd-inputs.js'
import { choose, rows } from '../../../scripts/testing.js'

let server: Server
let port: number
let bus: Bus
let web: WebServer
let answer: () => void
const who = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'who' })

beforeEach(async () => {
  server = createServer((_request, response) => response.end('own page'))
  server.on('upgrade', ({ url }, socket) => {
    if (url === '/other') socket.end('HTTP/1.1 418 I am a teapot\r\n\r\n')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  port = (server.address() as AddressInfo).port
  const core = defineCore({
    commands: {
      who: (_args: object, { label }: { label: string }) => label,
      wait: () => new Promise<void>(resolve => (answer = resolve)),
    },
  })
  bus = await createBus({ core, log: false })
})
afterEach(async () => {
  await web.close()
  await bus.close()
  server.close()
})

const attach = async (origins: string[] = []): Promise<void> => {
  web = await serveFrontends(bus, {
    server,
    origins,
    frontends: { main: { allow: ['who', 'wait'], multiple: true }, admin: { allow: ['who'] } },
    authenticate: async ({ headers }) => {
      if (headers.cookie === 'fail') throw new Error('the session store is down')
      return headers.cookie?.replace('user=', '')
    },
  })
}

test('the check of the host decides on the label', async () => {
  await attach()
  for (const label of ['main', 'admin']) {
    const page = await connect({ port, cookie: `user=${label}` })
    expect(await page.ask(who)).toContain(`"result":"${label}"`)
    page.socket.close()
  }
  const origin = `http://127.0.0.1:${port}`
  expect(await tryConnect(port, { origin })).toBe(4401)
  expect(await tryConnect(port, { origin, cookie: 'user=unknown' })).toBe(4401)
  expect(await tryConnect(port, { origin, cookie: 'fail' })).toBe(500)
  expect([web.url, web.urls]).toEqual(['', {}])
})

test('an answer of the check that is no label admits nobody', async () => {
  let decide: () => unknown
  web = await serveFrontends(bus, { server, frontends: { main: {} }, authenticate: () => decide() as string })
  const origin = `http://127.0.0.1:${port}`
  await rows(ODD_ANSWERS)(async (_name, odd) => {
    decide = odd
    expect([4401, 500]).toContain(await tryConnect(port, { origin }))
  })
})

test('a page without allow can call only what a capability for its label names', async () => {
  web = await serveFrontends(bus, {
    server,
    frontends: { main: {}, admin: {} },
    authenticate: ({ headers }) => headers.cookie?.replace('user=', ''),
  })
  await bus.addCapability({ identifier: 'admin', windows: ['admin'], permissions: ['allow-who'] })
  const [main, admin] = [await connect({ port, cookie: 'user=main' }), await connect({ port, cookie: 'user=admin' })]
  expect(await main.ask(who)).toContain('Command who not allowed by ACL')
  expect(await admin.ask(who)).toContain('"result":"admin"')
  expect(await admin.ask(who.replace('"who"', '"wait"'))).toContain('Command wait not allowed by ACL')
})

test('tabs share the quota and the prompts of their label', async () => {
  await bus.close()
  const answers: ((isConfirmed: boolean) => void)[] = []
  const ask = (_args: object, { confirm }: { confirm: (text: string) => Promise<boolean> }) => confirm('sure?')
  bus = await createBus({
    core: defineCore({ commands: { limited: () => 'done', ask } }),
    log: false,
    calls: { quotas: [{ labels: ['main*'], commands: ['limited'], rate: 1 / 60 }] },
    onConfirm: () => new Promise(resolve => answers.push(resolve)),
  })
  web = await serveFrontends(bus, {
    server,
    frontends: { main: { allow: ['limited', 'ask'], multiple: true } },
    authenticate: () => 'main',
  })
  const pages = [await connect({ port, cookie: '' }), await connect({ port, cookie: '' })] as const
  expect(pages[1].greeting['label']).toBe('main-2')
  const request = (id: number, method: string): string => JSON.stringify({ jsonrpc: '2.0', id, method })
  expect(await pages[0].ask(request(1, 'limited'))).toContain('"done"')
  expect(await pages[1].ask(request(1, 'limited'))).toContain('The quota of')
  for (let id = 2; id < 18; id++) pages[0].socket.send(request(id, 'ask'))
  await expect.poll(() => answers.length).toBe(16)
  expect(await pages[1].ask(request(2, 'ask'))).toContain('16 confirm requests')
  for (const answer of answers) answer(false)
})

test('a page of another origin is refused unless it is listed', async () => {
  const cookie = 'user=main'
  await attach(['https://app.example'])
  expect(await tryConnect(port, { cookie, origin: 'https://evil.example' })).toBe(403)
  expect(await tryConnect(port, { cookie, origin: `https://${'a'.repeat(64)}`, host: 'a'.repeat(64) })).toBe(403)
  expect(await tryConnect(port, { cookie, origin: 'https://app.example' })).toBe(101)
  // Behind a proxy that ends TLS, the names are equal and the protocols are not.
  expect(await tryConnect(port, { cookie, origin: `https://127.0.0.1:${port}` })).toBe(101)
})

test('other pages and WebSockets of the server still work, and it stays open', async () => {
  await attach()
  expect((await get(port, '/sallyport')).text).toBe('own page')
  const other = new WebSocket(`ws://127.0.0.1:${port}/other`)
  const [error] = (await once(other, 'error')) as [Error]
  expect(error.message).toContain('418')
  const page = await connect({ port, cookie: 'user=main' })
  await web.close()
  await page.closed
  expect(server.listenerCount('upgrade')).toBe(1)
  expect((await get(port, '/')).text).toBe('own page')
})

// Node has no `shouldUpgradeCallback` before 22.21 and 24.9. Later, one that accepts all has the same effect.
describe.each([
  ['of this version of Node', false],
  ['of a version of Node that does not ask which requests are upgrades', true],
])('a server %s without WebSockets of its own', (_version, isOlder) => {
  const h2c = 'Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'

  let handled: string[]
  const attachAlone = async (): Promise<void> => {
    handled = []
    server.removeAllListeners('request').removeAllListeners('upgrade')
    server.on('request', (received, response) => {
      handled.push(`${received.method} ${received.url}`)
      void text(received).then(body => response.setHeader('Connection', 'close').end(`${received.method} ${body}`))
    })
    await attach()
    if (isOlder) Object.assign(server, { shouldUpgradeCallback: () => true })
  }
  const ask = (request: string): Promise<string> => {
    const socket = connectSocket(port, '127.0.0.1')
    socket.write(request)
    return text(socket)
  }

  test.each(
    choose([
      ['without a body', `GET / HTTP/1.1\r\n${h2c}\r\n`, 'GET '],
      ['with a body', `POST / HTTP/1.1\r\n${h2c}Content-Length: 4\r\n\r\nbody`, 'POST body'],
    ] as const),
  )('answers a request %s that offers another protocol', async (_what, request, answer) => {
    await attachAlone()
    expect(await ask(request)).toMatch(new RegExp(`^HTTP/1.1 200 OK\r\n.*\r\n\r\n${answer}$`, 's'))
    const page = await connect({ port, cookie: 'user=main' })
    expect(await page.ask(who)).toContain('"result":"main"')
  })

  test('takes no body for a request, however many headers come before its length', async () => {
    await attachAlone()
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n'
    const head = `POST / HTTP/1.1\r\n${h2c}${'a: b\r\n'.repeat(2100)}Content-Length: ${smuggled.length}\r\n\r\n`
    const answer = await ask(head + smuggled)
    if (isOlder) expect([answer.slice(0, 12), handled]).toEqual(['HTTP/1.1 431', []])
    else expect(handled).not.toContain('GET /smuggled')
  })

  test.each(
    choose([
      ['without a body', `GET /1 HTTP/1.1\r\n${h2c}\r\n`],
      ['with a body', `POST /1 HTTP/1.1\r\n${h2c}Content-Length: 4\r\n\r\nbody`],
    ] as const),
  )('answers the first of two pipelined requests %s, and then closes', async (_what, first) => {
    await attachAlone()
    const answer = await ask(`${first}GET /2 HTTP/1.1\r\n${h2c}\r\n`)
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200'])
    expect(handled.slice(0, 1)).toEqual([first.split(' HTTP')[0]])
    if (isOlder) expect(handled).toHaveLength(1)
  })

  test('keeps what the host decides on upgrades while pages are served', async () => {
    await attach()
    const shouldUpgradeCallback = (): boolean => true
    Object.assign(server, { shouldUpgradeCallback })
    await web.close()
    expect((server as { shouldUpgradeCallback?: unknown }).shouldUpgradeCallback).toBe(shouldUpgradeCallback)
  })
})

test('a page is closed for now while core is too busy to read the page of its label, and connects later', async () => {
  await bus.close()
  bus = await createBus({ core: new URL('./fixtures/busy-core.mjs', import.meta.url), log: false })
  const frontends = { main: { allow: ['block', 'echo'] } }
  web = await serveFrontends(bus, { server, frontends, authenticate: () => 'main' })
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-web-'))
  const until = join(dir, 'end')
  const page = await connect({ port, cookie: '' }, 'tab')
  const tryAgain = () => tryConnect(port, { origin: `http://127.0.0.1:${port}` }, '/sallyport', 'tab')
  expect(await tryAgain()).toBe(4409)
  page.socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'block', params: { until } }))
  for (let id = 2; id < 26; id++) page.socket.send(call(id, 'x'.repeat(2 ** 20)))
  await expect.poll(tryAgain).toBe(4503)
  page.socket.terminate()
  expect(await tryAgain()).toBe(4503)
  writeFileSync(until, '')
  await expect.poll(tryAgain).toBe(101)
  rmSync(dir, { recursive: true })
})

test('many tabs with the id of a page wait for one answer of it', async () => {
  await attach()
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  const headers = { cookie: 'user=main', origin: `http://127.0.0.1:${port}` }
  const page = await connect({ port, cookie: headers.cookie }, 'tab')
  page.socket.pause()
  const open = () => new WebSocket(`ws://127.0.0.1:${port}/sallyport`, 'tab', { headers })
  const tabs = Array.from({ length: 14 }, open)
  const greetings = tabs.map(async tab => String((await once(tab, 'message'))[0]))
  await Promise.all(tabs.map(tab => once(tab, 'open')))
  page.socket.resume()
  expect(new Set(await Promise.all(greetings)).size).toBe(14)
  process.off('warning', onWarning)
  expect(warnings).toEqual([])
})

test('the list of frontends tells labels without a page from frontends that have stopped', async () => {
  await attach()
  const getStates = () => bus.frontends().map(({ label, state, sandbox }) => [label, state, sandbox].join(' '))
  expect(getStates()).toEqual(['main disconnected external', 'admin disconnected external'])
  const page = await connect({ port, cookie: 'user=admin' })
  expect(getStates()).toEqual(['main disconnected external', 'admin running external'])
  page.socket.terminate()
  await expect.poll(getStates).toEqual(['main disconnected external', 'admin disconnected external'])
  await bus.open('plugin', new URL('data:text/javascript,setTimeout(() => process.exit(0))'), { sandbox: 'none' })
  await expect.poll(getStates).toContain('plugin stopped none')
})

test('the duration of a call counts although its page has left', async () => {
  await attach()
  const page = await connect({ port, cookie: 'user=main' })
  page.socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'wait' }))
  await expect.poll(async () => (await bus.stats()).frontends['main']!.inFlight).toBe(1)
  page.socket.terminate()
  await expect.poll(async () => (await bus.stats()).frontends['main']!.state).toBe('disconnected')
  answer()
  await expect.poll(async () => (await bus.stats()).frontends['main']!.latency.count).toBe(1)
})

describe('a server that the host closes while pages are connected', () => {
  const connectPages = () => Promise.all(['main', 'admin'].map(label => connect({ port, cookie: `user=${label}` })))

  test('disconnects them, and closes: server.close(() => bus.close()), as with node:http and Express', async () => {
    await attach()
    const pages = await connectPages()
    await new Promise<void>((resolve, reject) => {
      server.close(() => void bus.close().then(resolve, reject))
    })
    expect(await Promise.all(pages.map(page => page.closed))).toEqual([1001, 1001])
    await web.closed
  })

  test('disconnects those of its other addresses too, and the bus can close in a hook that waits for it, as with Fastify', async () => {
    await attach()
    // For `localhost`, Fastify also listens on ::1, with a second server.
    const second = createServer()
    second.on('upgrade', (...upgrade) => void server.emit('upgrade', ...upgrade))
    await once(second.listen(0, '127.0.0.1'), 'listening')
    const { port: secondPort } = second.address() as AddressInfo
    const pages = [...(await connectPages()), await connect({ port: secondPort, cookie: 'user=main' })]
    await promisify(server.close).call(server)
    await promisify(second.close).call(second)
    await bus.close()
    expect(await Promise.all(pages.map(page => page.closed))).toEqual([1001, 1001, 1001])
  })

  test('ends a page that does not answer', async () => {
    await attach()
    const [page] = await connectPages()
    page!.socket.pause()
    await promisify(server.close).call(server)
  })

  test('refuses a page whose check has not ended, and admits pages when it listens again', async () => {
    let admit!: (label: string) => void
    const authenticate = () => new Promise<string>(resolve => (admit = resolve))
    web = await serveFrontends(bus, { server, frontends: { main: { allow: ['who'] } }, authenticate })
    const tryPage = () => tryConnect(port, { origin: `http://127.0.0.1:${port}` })
    const late = tryPage()
    await expect.poll(() => admit as unknown).toBeDefined()
    const closed = promisify(server.close).call(server)
    admit('main')
    expect(await late).toBe(503)
    await closed
    await once(server.listen(0, '127.0.0.1'), 'listening')
    port = (server.address() as AddressInfo).port
    const again = tryPage()
    admit = undefined as never
    await expect.poll(() => admit as unknown).toBeDefined()
    admit('main')
    expect(await again).toBe(101)
  })

  test('closes as before once its pages are no longer served', async () => {
    const { close } = server
    await attach()
    await web.close()
    expect(server.close).toBe(close)
  })
})

test('a server has the pages of one bus, until they are closed', async () => {
  await attach()
  await using other = await createBus({ core: defineCore({ commands: {} }), log: false })
  const serve = () => serveFrontends(other, { server, authenticate: () => 'main', frontends: { main: {} } })
  await expect(serve()).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: expect.stringContaining('server has'),
  })
  await web.close()
  web = await serve()
})

test('closes when the bus closes', async () => {
  await attach()
  const page = await connect({ port, cookie: 'user=main' })
  await bus.close()
  await Promise.all([page.closed, web.closed])
})

test('rejects wrong options', async () => {
  await attach()
  await rows([
    [{}, 'frontends is missing'],
    [{ frontends: {} }, 'frontends must be an object with at least one label'],
    [{ frontends: { main: {} }, port: -1 }, 'port must be a port, from 0 to 65535'],
    [{ frontends: { main: { dir: 'dist' } } }, 'frontends.main.dir must be a file URL or an absolute path'],
    [{ frontends: { main: { dir: '/nowhere/dist' } } }, 'frontends.main.dir: there is no directory /nowhere/dist'],
    [{ frontends: { x: { data: 1n } } }, 'frontends.x.data cannot be serialized as JSON'],
    [{ frontends: { main: { alow: [] } } }, 'alow'],
    [{ frontends: { main: {} }, ports: 1 }, 'unknown option "ports" (did you mean "port"?)'],
    [{ frontend: { main: {} } }, 'unknown option "frontend" (did you mean "frontends"?)'],
    [{ frontends: { main: {} }, origins: ['localhost:1'] }, 'origins[0] must be an origin such as'],
    [{ frontends: { main: {} }, server: createServer() }, 'server requires authenticate'],
  ])(async (options, text) => {
    const served = serveFrontends(bus, options as never)
    await expect(served).rejects.toMatchObject({ reason: 'InvalidParams', message: expect.stringContaining(text) })
  })
})

test('rejects an invalid bus, and a label that is in use', async () => {
  await attach()
  await expect(serveFrontends({} as Bus, { frontends: { x: {} } })).rejects.toThrow('The bus must be the result')
  await expect(serveFrontends(bus, { frontends: { main: {} } })).rejects.toThrow('already exists')
  for (const label of ['constructor', '__proto__', 'valueOf']) {
    await expect(serveFrontends(bus, { frontends: { good: {}, [label]: {} } })).rejects.toThrow(
      'names that objects inherit',
    )
  }
  await expect(serveFrontends(bus, { frontends: { other: { allow: ['none'] } } })).rejects.toThrow('none')
})
