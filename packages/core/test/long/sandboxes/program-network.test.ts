// A program in the wall whose network is a list of hosts: what it reaches through the proxy, and what it does not.
import { execFile } from 'node:child_process'
import type { DeniedHost } from '@sallyport/process/internal/launchers'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { LauncherUnavailable, type Program, type ProgramOptions, startProgram } from '../../../src/launchers.js'
import { createCertificate } from '../../support/certificate.js'
import { fixture } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

const hasWall = await startProgram({ command: 'true' }).then(
  ({ exited }) => exited.then(() => true),
  (error: unknown) => {
    if (error instanceof LauncherUnavailable) return false
    throw error
  },
)

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(handler: RequestListener): Promise<{ host: string; port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer(handler)
  server.on('connection', (socket: Socket) => void sockets.add(socket.on('close', () => sockets.delete(socket))))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  return { host: `127.0.0.1:${port}`, port, sockets }
}

/** What a program calls: a request as text on a connection of its own to the proxy, and what follows `CONNECT`. */
const FUNCTIONS = `
  const net = require('net')
  const send = (head, then = '', port = 3128) => new Promise(done => {
    let text = '', isSent = then === ''
    const socket = net.connect(port, '127.0.0.1').setEncoding('utf8')
    socket.on('data', chunk => {
      text += chunk
      if (!isSent) { isSent = true; socket.write(then) }
    })
    socket.on('error', error => done(error.code)).on('close', () => done(text))
    if (head) socket.write(head)
  })
  const get = (url, more = '') => send('GET ' + url + ' HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n' + more + '\\r\\n')
  const open = (target, then) => send('CONNECT ' + target + ' HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n', then)
  const print = async (...all) => { for (const each of all) console.log(JSON.stringify(await each())) }
`
const GET = String.raw`'GET /tunnel HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'`

type Options = Omit<ProgramOptions, 'command' | 'args'>

/** Runs JavaScript in the wall. */
const startNode = (script: string, options: Options): Promise<Program> =>
  startProgram({ ...options, command: process.execPath, args: ['-e', FUNCTIONS + script] })

/** Returns the values of functions, as a program prints them, and what was denied. */
async function run(functions: readonly string[], options: Options) {
  const denied: DeniedHost[] = []
  const script = `print(${functions.map(each => `() => ${each}`).join(', ')})`
  const program = await startNode(script, { ...options, onDenied: event => void denied.push(event) })
  // Node 22 warns on standard error that its variable for a proxy is experimental.
  const [stdout, { code }] = await Promise.all([text(program.stdout), program.exited])
  expect(code).toBe(0)
  return {
    values: stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as unknown),
    denied,
  }
}

describe.runIf(hasWall)('in the wall', () => {
  test('requests and tunnels of the proxy reach a listed host', async () => {
    const { host } = await serve((request, response) => {
      const { 'x-a': own, host, 'proxy-authorization': proxy } = request.headers
      request.setEncoding('utf8').on('data', chunk => void response.write(chunk))
      request.on('end', () => response.end(`${request.method} ${request.url} ${String([own, host, proxy])}`))
    })
    const post = String.raw`send('POST http://${host}/b HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbody')`
    const { values, denied } = await run(
      [
        `get('http://${host}/a?b', 'x-a: 1\\r\\nproxy-authorization: x\\r\\n')`,
        `get('http://${host}?b')`,
        post,
        `open('${host}', ${GET})`,
      ],
      { net: [host] },
    )
    expect(values).toEqual([
      expect.stringMatching(new RegExp(String.raw`^HTTP/1\.1 200 [^]*GET /a\?b 1,${host},(\r\n|$)`)),
      expect.stringMatching(/^HTTP\/1\.1 200 [^]*GET \/\?b /),
      expect.stringMatching(/^HTTP\/1\.1 200 [^]*body[^]*POST \/b /),
      expect.stringMatching(/^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 200 [^]*GET \/tunnel /),
    ])
    expect(denied).toEqual([])
  })

  test('a tunnel whose program sends nothing more brings what the host answers', async () => {
    const server = createTcpServer({ allowHalfOpen: true }, socket => {
      socket.on('error', () => {}).resume()
      socket.on('end', () => socket.end('after the end'))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => void server.close())
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const talk = String.raw`new Promise(done => {
      let text = ''
      const socket = net.connect({ port: 3128, host: '127.0.0.1', allowHalfOpen: true }).setEncoding('utf8')
      socket.once('data', () => socket.end('a'))
      socket.on('data', chunk => (text += chunk)).on('error', () => {}).on('close', () => done(text))
      socket.write('CONNECT ${host} HTTP/1.1\r\nhost: x\r\n\r\n')
    })`
    const { values } = await run([talk], { net: [host] })
    expect(values).toEqual(['HTTP/1.1 200 Connection established\r\n\r\nafter the end'])
  })

  test('another host is denied, with the entry to add in the answer and for the host', async () => {
    const { host } = await serve((_request, response) => void response.end('reached'))
    const { values, denied } = await run([`get('http://${host}/')`, `open('${host}', ${GET})`], {
      net: ['api.example'],
    })
    const reason = `The sandbox denied the network to ${host}. Allow it with "${host}" in "net" of its sandbox.`
    for (const value of values) expect(value).toContain(`HTTP/1.1 403 ${reason}\r\n`)
    const event = { host, hint: `Add "${host}" to "net" of its sandbox` }
    expect(denied).toEqual([event, event])
  })

  test('a private address, another form of it, and the network without the proxy are not reached', async () => {
    const { port } = await serve((_request, response) => void response.end('reached'))
    const names = ['127.0.0.1', 'localhost', '2130706433', '[::1]', '[::ffff:127.0.0.1]', 'user@127.0.0.1']
    const tunnels = names.map(name => `open('${name}:${port}', ${GET})`)
    const requests = names.map(name => `get('http://${name}:${port}/')`)
    const gateway = `get('/127.0.0.1:${port}/')`
    const { values } = await run([...tunnels, ...requests, gateway, `send('', '', ${port})`], { net: ['*:*'] })
    expect(values.pop()).toBe('ECONNREFUSED')
    for (const value of values) expect(value).toMatch(/^HTTP\/1\.1 (403 The sandbox denied|502 Invalid request)/)
  })

  test('what is not a request of a proxy gets no answer of a host', async () => {
    const { host } = await serve((_request, response) => void response.end('reached'))
    const requests = [
      `get('ftp://${host}/')`,
      `get('*')`,
      `get('//${host}/')`,
      String.raw`send('no request\r\n\r\n')`,
      `open('${host}/path', ${GET})`,
      String.raw`send('POST http://${host}/ HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n')`,
      String.raw`send('TRACE http://${host}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')`,
    ]
    const { values } = await run(requests, { net: [host] })
    for (const value of values) expect(value).not.toContain('reached')
  })

  test.runIf(process.allowedNodeEnvironmentFlags.has('--use-env-proxy'))(
    'fetch and node:http of Node find the proxy by its variables',
    async () => {
      const { host } = await serve((_request, response) => void response.end('reached'))
      const viaHttp = `new Promise(done => require('http').get('http://${host}', r => r.on('data', d => done(String(d)))))`
      const net = [host, '127.0.0.1:*']
      const { values } = await run([`fetch('http://${host}').then(r => r.text())`, viaHttp], { net })
      expect(values).toEqual(['reached', 'reached'])
    },
  )

  test('the variables of the proxy, and no descriptor of the host', async () => {
    const script =
      'console.log(JSON.stringify(process.env)); console.log(require("child_process").execSync("ls -l /proc/self/fd")+"")'
    const program = await startNode(script, { net: ['api.example', 'localhost:1'], env: { A: '1' } })
    const stdout = await text(program.stdout)
    const proxy = 'http://127.0.0.1:3128'
    expect(JSON.parse(stdout.split('\n')[0]!)).toMatchObject({
      ...{ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy, NODE_USE_ENV_PROXY: '1' },
      ...{ NO_PROXY: '127.0.0.1,::1', A: '1' },
    })
    expect(stdout).not.toContain('NODE_CHANNEL_FD')
    expect(stdout.match(/ [3-9] -> socket/g)).toBe(null)
    await program.exited
  })

  test('the end of a program closes its connections', async () => {
    const { host, sockets } = await serve((_request, response) => void response.write('a part'))
    const program = await startNode(`get('http://${host}/'); open('${host}', ${GET})`, { net: [host] })
    await expect.poll(() => sockets.size).toBe(2)
    program.kill()
    await program.exited
    await expect.poll(() => sockets.size).toBe(0)
  })

  test('a program that floods its proxy gets no further than its limits, which its closed connections show', async () => {
    // The second in which 500 requests pass is never over.
    vi.spyOn(performance, 'now').mockReturnValue(0)
    onTestFinished(() => void vi.restoreAllMocks())
    await rows({ 'all requests at once': 1000, 'one request after the other': 1 })(async atOnce => {
      let count = 0
      let most = 0
      const { host, sockets } = await serve((_request, response) => {
        count++
        most = Math.max(most, sockets.size)
        response.end('x')
      })
      const flood = `
      const request = 'GET http://${host}/ HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n'.repeat(${atOnce})
      const again = () => {
        const socket = net.connect(3128, '127.0.0.1').on('error', () => {})
        socket.on('close', () => { console.log('closed'); setTimeout(again, 1) })
        socket.on('data', () => socket.write(request)).write(request)
      }
      for (let i = 0; i < 300; i++) again()`
      const program = await startNode(flood, { net: [host], pids: 30 })
      let closed = 0
      program.stdout.on('data', (chunk: Buffer) => (closed += String(chunk).split('\n').length - 1))
      await expect.poll(() => closed).toBeGreaterThan(1000)
      if (atOnce === 1) await expect.poll(() => count).toBeGreaterThanOrEqual(500)
      program.kill()
      await program.exited
      expect(count).toBeLessThanOrEqual(500)
      expect(most).toBeLessThanOrEqual(128)
    })
  })

  test('a secret is in the headers of its host alone, by the gateway, and nowhere in the program', async () => {
    const { key, cert, remove } = createCertificate()
    closers.push(remove)
    const value = 'a-secret-value-of-the-test'
    const host = fileURLToPath(fixture('sandboxes/program/secret-host.mjs'))
    const { stdout } = await promisify(execFile)(process.execPath, [host, key, cert, value], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: cert },
    })
    const { received, ...others } = JSON.parse(stdout)
    const { TOKEN } = others.visible
    expect(others).toEqual({
      code: 0,
      visible: {
        TOKEN: expect.stringMatching(/^sallyport-secret-[\da-f]{32}$/),
        KEY: 'a variable',
        answers: [
          [200, 'reached'],
          [200, 'reached'],
          [403, expect.stringContaining('The secret "TOKEN" is for other hosts')],
          [200, 'reached'],
          [200],
        ],
      },
      denied: [{ host: expect.stringMatching(/^localhost:/), hint: expect.stringContaining('"TOKEN"') }],
    })
    expect(received).toEqual([
      { url: '/a?b', token: `Bearer ${value}`, body: '' },
      { url: '/', token: `Bearer ${value}`, body: `a body with ${TOKEN}` },
      { url: '/own', token: `Bearer ${value}`, body: '' },
      { url: '/trusted', body: '' },
    ])
    expect(JSON.stringify(others)).not.toContain(value)
  })

  test('a program whose process for the proxy ends is not started, with the reason', async () => {
    const started = startProgram({ command: 'true', net: ['a.example'], memory: 1 })
    await expect(started).rejects.toMatchObject({ reason: 'LoadFailed', message: /the proxy did not start/ })
  })

  test('a program is not started if the system does not pass the socket of its proxy on', async () => {
    const host = fileURLToPath(fixture('sandboxes/program/full-host.mjs'))
    const args = ['-c', 'ulimit -n 300 && exec "$0" "$1"', process.execPath, host]
    const { stdout } = await promisify(execFile)('/bin/sh', args)
    expect(JSON.parse(stdout)).toEqual({ reason: 'LoadFailed', message: expect.stringContaining('Raise the limit') })
  })
})

test('wrong options are refused', () =>
  rows([
    [{ net: ['a.example'], wall: 'none' }, /net must not be a list of hosts without a wall/],
    [{ net: ['http://a.example'] }, /net\[0\] must be a host/],
    [{ net: 'a.example' }, /net must be true, false or an array of hosts/],
    [{ net: true, secrets: { T: { value: 'v-a-l', hosts: ['a.example'] } } }, /add "a\.example" to that list/],
    [{ net: ['a.example'], secrets: { T: { value: 'v-a-l\n', hosts: ['a.example'] } } }, /secrets\.T\.value must be/],
    [{ net: ['a.example'], onDenied: 1 }, /onDenied must be a function/],
  ])(async (options, message) => {
    const error = await startProgram({ command: 'true', ...(options as object) }).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ reason: 'InvalidParams', message: expect.stringMatching(message) as string })
    expect((error as Error).message).not.toContain('v-a-l')
  }))
