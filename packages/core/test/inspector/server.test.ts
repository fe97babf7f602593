// Whom the inspector answers, and whom it does not.
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBus, type Bus, type Inspector } from '../../src/index.js'
import { fixture, start } from '../start.js'
import { ask, listenTo, type Asked } from './ask.js'

let bus: Bus
let inspector: Inspector
let host: string
beforeAll(async () => {
  bus = await createBus({ core: fixture('core.mjs'), log: false })
  inspector = await bus.inspectServer()
  host = new URL(inspector.url).host
})
afterAll(() => bus.close({ timeout: 0 }))

const OWN_FILES = ['', 'inspector.css', 'inspector.js', 'access', 'feed']

test('each thing that it has is there with the token, and says how a browser has to hold it', async () => {
  expect(new URL(inspector.url).hostname).toBe('127.0.0.1')
  expect(Buffer.from(new URL(inspector.url).searchParams.get('token')!, 'base64url').byteLength).toBeGreaterThanOrEqual(
    16,
  )
  for (const path of OWN_FILES) {
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

const noToken: [string, string][] = [
  ['none', '?'],
  ['an empty one', '?token='],
  ['another', `?token=${'A'.repeat(43)}`],
  ['a part of it', '?token=PART'],
  ['more than it', '?token=TOKENx'],
  ['it twice', '?token=TOKEN&token=TOKEN'],
]

describe.each(OWN_FILES)('/%s', path => {
  test.each(noToken)('is not given without the token: %s', async (_, query) => {
    const token = new URL(inspector.url).searchParams.get('token')!
    const given = query.replaceAll('TOKEN', token).replace('PART', token.slice(0, -1))
    const { status, text, headers } = await ask(inspector.url, { path: path + given })
    expect(status).toBe(401)
    expect(text).not.toContain(token)
    expect(headers['content-security-policy']).toContain("default-src 'none'")
  })

  test('is for nobody else', async () => {
    const others: [number, Asked][] = [
      // DNS rebinding: a name of somebody else's, that leads here.
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
    for (const [status, asked] of others) {
      const answer = await ask(inspector.url, { ...asked, path })
      expect([asked, answer.status]).toEqual([asked, status])
    }
    const own: Asked = { headers: { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }, method: 'HEAD' }
    expect((await ask(inspector.url, { ...own, path })).status).toBe(200)
  })
})

test('there is nothing else', async () => {
  for (const path of ['x', '../package.json', '..%2fpackage.json', '/etc/passwd', 'inspector.js.map']) {
    expect((await ask(inspector.url, { path })).status).toBe(404)
  }
})

test('what is no HTTP, or never ends, is no harm', async () => {
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

test('a few pages at a time, and another once one has gone', async () => {
  const pages = await Promise.all(Array.from({ length: 8 }, () => listenTo(inspector.url)))
  await Promise.all(pages.map(page => page.next()))
  expect((await ask(inspector.url, { path: 'feed' })).status).toBe(503)
  pages.pop()!.end()
  await expect
    .poll(() =>
      listenTo(inspector.url)
        .then(page => page.next())
        .then(
          () => 'told',
          () => 'refused',
        ),
    )
    .toBe('told')
  pages.forEach(page => page.end())
})

test('a wrong option or a port that is taken is refused, and a bus that closes opens none', async () => {
  const port = Number(host.split(':')[1])
  await expect(bus.inspectServer({ port })).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: /port \d+ can’t be had/,
  })
  for (const options of [{ port: -1 }, { port: 65_536 }, { port: 1.5 }, { prot: 1 }]) {
    await expect(bus.inspectServer(options as object)).rejects.toMatchObject({ reason: 'InvalidParams' })
  }
  const other = await start()
  const closing = other.close()
  await expect(other.inspectServer()).rejects.toMatchObject({ reason: 'Disconnected' })
  await closing
})

test('closed by itself it is gone, and the bus goes on; each has a token of its own', async () => {
  const other = await bus.inspectServer()
  expect(new URL(other.url).search).not.toBe(new URL(inspector.url).search)
  const page = await listenTo(other.url)
  await page.next()
  await other.close()
  await other.close()
  await page.ended
  expect(page.told.at(-1)).toEqual({ event: 'end', data: { why: 'The inspector was closed.' } })
  await expect(ask(other.url)).rejects.toThrow()
  expect((await ask(inspector.url)).status).toBe(200)
})
