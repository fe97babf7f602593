// The requests that the inspector answers, and those that it refuses.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createBus, type Bus, type Inspector } from '@sallyport/core'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test, describe } from 'vitest'
import { fixture, start } from '../support/start.js'
import { ask, listenTo, type AskOptions } from '../support/ask.js'
import { rows } from '../../../../scripts/testing.js'

let bus: Bus
let inspector: Inspector
let host: string
beforeAll(async () => {
  bus = await createBus({ core: fixture('core.mjs'), log: false })
  inspector = await bus.openInspector()
  host = new URL(inspector.url).host
})
afterAll(() => bus.close({ timeout: 0 }))

const PATHS = ['', 'inspector.css', 'inspector.js', 'access', 'feed']

test('answers each path with the token, and restricts the browser by headers', async () => {
  expect(new URL(inspector.url).hostname).toBe('127.0.0.1')
  expect(Buffer.from(new URL(inspector.url).searchParams.get('token')!, 'base64url').byteLength).toBeGreaterThanOrEqual(
    16,
  )
  for (const path of PATHS) {
    const { status, headers } = await ask(inspector.url, { path, method: 'HEAD' })
    expect([path, status]).toEqual([path, 200])
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    })
    const policy = headers['content-security-policy'] as string
    expect(policy).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    expect(Object.keys(headers).filter(name => name.startsWith('access-control'))).toEqual([])
  }
  expect((await ask(inspector.url)).text).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/)
})

const WRONG_TOKENS = {
  'no token': '?',
  'an empty token': '?token=',
  'another token': `?token=${'A'.repeat(43)}`,
  'a part of the token': '?token=PART',
  'a longer token': '?token=TOKENx',
  'the token twice': '?token=TOKEN&token=TOKEN',
}

test('each path requires the token', () =>
  rows(PATHS)(async path => {
    const token = new URL(inspector.url).searchParams.get('token')!
    for (const [name, query] of Object.entries(WRONG_TOKENS)) {
      const tokenQuery = query.replaceAll('TOKEN', token).replace('PART', token.slice(0, -1))
      const { status, text, headers } = await ask(inspector.url, { path: path + tokenQuery })
      expect(status, name).toBe(401)
      expect(text).not.toContain(token)
      expect(headers['content-security-policy']).toContain("default-src 'none'")
    }
  }))

test('each path refuses other hosts, sites and methods', () =>
  rows(PATHS)(async path => {
    const others: [number, AskOptions][] = [
      // DNS rebinding: another name that resolves to this address.
      [403, { headers: { host: 'evil.example' } }],
      [403, { headers: { host: `evil.example:${host.split(':')[1]}` } }],
      [403, { headers: { host: '127.0.0.1' } }],
      [403, { headers: { origin: 'https://evil.example' } }],
      [403, { headers: { origin: 'null' } }],
      [403, { headers: { origin: 'http://127.0.0.1:1' } }],
      [403, { headers: { 'sec-fetch-site': 'cross-site' } }],
      [403, { headers: { 'sec-fetch-site': 'same-site' } }],
      [405, { method: 'POST' }],
      [405, { method: 'PUT' }],
      [405, { method: 'DELETE' }],
      [405, { method: 'OPTIONS' }],
    ]
    for (const [status, options] of others) {
      const answer = await ask(inspector.url, { ...options, path })
      expect([options, answer.status]).toEqual([options, status])
    }
    const page: AskOptions = { headers: { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }, method: 'HEAD' }
    expect((await ask(inspector.url, { ...page, path })).status).toBe(200)
    const port = host.split(':')[1]
    const forwarded = { host: `[::1]:${port}`, origin: `http://localhost:${port}` }
    expect((await ask(inspector.url, { headers: forwarded, method: 'HEAD', path })).status).toBe(200)
    const { text } = await ask(inspector.url, { headers: { host: 'evil.example' }, path })
    expect(text).toContain('"evil.example"')
  }))

test('answers no other paths', async () => {
  for (const path of ['x', '../package.json', '..%2fpackage.json', '/etc/passwd', 'inspector.js.map']) {
    expect((await ask(inspector.url, { path })).status).toBe(404)
  }
})

test('survives malformed and unfinished requests', async () => {
  const port = Number(host.split(':')[1])
  for (const text of [
    '\0\0\0\r\n\r\n',
    'GET http://[ HTTP/1.1\r\n\r\n',
    `GET / HTTP/1.1\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`,
  ]) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {}).write(text)
    await new Promise<void>(resolve => socket.resume().on('close', () => resolve()))
  }
  for (let i = 0; i < 20; i++)
    connect(port, '127.0.0.1')
      .on('error', () => {})
      .write('GET / HT')
  expect((await ask(inspector.url)).status).toBe(200)
})

test('serves a limited number of pages at a time', async () => {
  const pages = await Promise.all(Array.from({ length: 8 }, () => listenTo(inspector.url)))
  await Promise.all(pages.map(page => page.next()))
  expect((await ask(inspector.url, { path: 'feed' })).status).toBe(503)
  pages.pop()!.end()
  await expect
    .poll(() =>
      listenTo(inspector.url)
        .then(page => page.next())
        .then(
          () => 'served',
          () => 'refused',
        ),
    )
    .toBe('served')
  pages.forEach(page => page.end())
})

test('rejects wrong options, an occupied port, and a closing bus', async () => {
  const port = Number(host.split(':')[1])
  await expect(bus.openInspector({ port })).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: /port \d+ is not available/,
  })
  for (const options of [
    { port: -1 },
    { port: 65_536 },
    { port: 1.5 },
    { prot: 1 },
    { editor: 'vim' },
    { editor: 'javascript:{file}' },
  ]) {
    await expect(bus.openInspector(options as object)).rejects.toMatchObject({ reason: 'InvalidParams' })
  }
  const other = await start()
  const closing = other.close()
  await expect(other.openInspector()).rejects.toMatchObject({ reason: 'Disconnected' })
  await closing
})

test('closes without the bus, and has another token each time', async () => {
  const other = await bus.openInspector()
  expect(new URL(other.url).search).not.toBe(new URL(inspector.url).search)
  const page = await listenTo(other.url)
  await page.next()
  await other.close()
  await other.close()
  await page.ended
  expect(page.received.at(-1)).toEqual({ event: 'end', data: { why: 'The inspector was closed.' } })
  await expect(ask(other.url)).rejects.toThrow()
  expect((await ask(inspector.url)).status).toBe(200)
})

// The option `inspect` and the variable SALLYPORT_INSPECT open an inspector.
describe('the option inspect and the variable SALLYPORT_INSPECT', () => {
  const run = (program: string, variable?: string) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, SALLYPORT_INSPECT: variable },
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    })

  const getProgram = (options: string): string => `
  import { createBus, defineCore } from '@sallyport/core'
  const bus = await createBus({ core: defineCore({}), log: false, ${options} })
  console.log('running')
  await bus.close()`

  test('prints its URL to standard error, and ends with the bus', () =>
    rows([
      ['inspect: true', undefined],
      ['', '1'],
    ])(async (options, variable) => {
      const { stdout, stderr } = await run(getProgram(options), variable)
      expect(stdout).toBe('running\n')
      expect(stderr).toMatch(/^Inspector: http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}\n$/)
    }))

  test('createBus rejects if `startTimeout` is over before the inspector is open, and nothing else does', async () => {
    const { stdout } = await run(`
    import { createBus } from '@sallyport/core'
    const core = new URL('data:text/javascript,await new Promise(() => {})')
    await createBus({ core, log: false, inspect: true, startTimeout: 1 }).catch(({ reason }) => console.log(reason))`)
    expect(stdout).toBe('Timeout\n')
  })
})
