// A script in QuickJS whose network is a list of hosts: what `fetch` does over the broker, and what it does not.
import { createServer, type RequestListener } from 'node:http'
import type { QuickjsSandbox } from '../../../src/life/sandboxes/quickjs.js'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { type BusEvents, defineCore, type RunOptions } from '../../../src/index.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { start } from '../../support/start.js'
import { LONGEST } from './script-time.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const hasWall = (await findWall()).launcher !== undefined
const walls = ['none' as const, ...(hasWall ? ['required' as const] : [])]
const core = defineCore({ commands: { ask: (_args, ctx) => ctx.interrupt('go on?') } })

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(handler: RequestListener): Promise<{ origin: string; host: string }> {
  const server = createServer(handler)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close().closeAllConnections())
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin: `http://${host}`, host }
}

async function open(wall: 'none' | 'required', options: Partial<QuickjsSandbox>) {
  const bus = await start({ core, runs: { key: new Uint8Array(32).fill(7) } })
  const denied: BusEvents['denied'][] = []
  bus.on('denied', event => void denied.push(event))
  const sandbox: QuickjsSandbox = { kind: 'quickjs', process: true, wall, ...options }
  const run = (source: string, args: object = {}, more: RunOptions = {}): Promise<unknown> =>
    bus.run(source, { sandbox, args, timeout: 60_000, ...more })
  return { bus, denied, sandbox, run }
}

const secrets = (host: string): QuickjsSandbox['secrets'] => ({ KEY: { value: 'value-of-the-key', hosts: [host] } })

describe.each(choose(walls))('with the wall %j', wall => {
  test('fetch sends a request to a listed host, and its response has what clients of services read', async () => {
    const { origin, host } = await serve((request, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2']).setHeader('content-encoding', 'gzip')
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => void chunks.push(chunk))
      request.on('end', () => {
        const { method, headers } = request
        const seen = [method, headers['content-type'], headers['x-a'], Buffer.concat(chunks).toString('hex')]
        response.end(gzipSync(JSON.stringify(seen)))
      })
    })
    const { run } = await open(wall, { net: [host] })
    const source = `
      const { origin } = args
      const send = async (init, path = '/') => (await fetch(origin + path, init)).json()
      const response = await fetch(new Request(origin + '/a#b', { headers: [['X-A', '1']] }))
      const { ok, status, statusText, url, redirected, bodyUsed } = response
      return {
        head: { ok, status, statusText, url, redirected, bodyUsed, cookies: response.headers.getSetCookie() },
        get: await response.json(),
        isUsed: response.bodyUsed,
        again: await response.text().catch(error => error.name),
        text: await send({ method: 'post', body: 'ä', headers: new Headers({ 'x-a': '2' }) }),
        bytes: await send({ method: 'PUT', body: new Uint8Array([0, 255]) }),
        form: await send({ method: 'POST', body: new URLSearchParams({ a: 'b c' }) }),
        env: typeof process,
      }`
    expect(await run(source, { origin })).toEqual({
      head: {
        ...{ ok: true, status: 200, statusText: 'OK', url: `${origin}/a`, redirected: false, bodyUsed: false },
        cookies: ['a=1', 'b=2'],
      },
      get: ['GET', null, '1', ''],
      isUsed: true,
      again: 'TypeError',
      text: ['POST', 'text/plain;charset=UTF-8', '2', Buffer.from('ä').toString('hex')],
      bytes: ['PUT', null, null, '00ff'],
      form: ['POST', 'application/x-www-form-urlencoded;charset=UTF-8', null, Buffer.from('a=b+c').toString('hex')],
      env: 'undefined',
    })
  })

  test('another host, a redirect to one, a private address and another scheme are denied', async () => {
    const other = await serve((_request, response) => void response.end('reached'))
    const { origin, host } = await serve((_request, response) => {
      response.writeHead(302, { location: other.origin }).end()
    })
    const { run, denied } = await open(wall, { net: [host, '*'] })
    const source = `
      const outcomes = []
      for (const url of args.urls) outcomes.push(await fetch(url).then(() => 'reached', error => error.name + ': ' + error.message))
      outcomes.push((await fetch(args.urls[1], { redirect: 'manual' })).status)
      return outcomes`
    const urls = [
      other.origin,
      origin,
      'http://localhost:8',
      'http://169.254.169.254/',
      'file:///etc/passwd',
      'data:,a',
    ]
    const text = (name: string): string =>
      `TypeError: The sandbox denied the network to ${name}. Allow it with "${name}" in "net" of its sandbox.`
    const outcomes = (await run(source, { urls })) as string[]
    expect(outcomes.slice(0, 2)).toEqual([text(other.host), text(other.host)])
    expect(outcomes.slice(2, 4)).toEqual([
      text('localhost:8'),
      'TypeError: The sandbox denied the network to 169.254.169.254:80. It has a private address.',
    ])
    const scheme = 'TypeError: fetch: the URL must begin with http: or https:'
    expect(outcomes.slice(4)).toEqual([scheme, scheme, 302])
    await expect.poll(() => denied.map(({ command }) => command)).toContain(`net ${other.host}`)
  })

  test('a body is read as it arrives, and a loop that is left ends the request', async () => {
    let isClosed = false
    const { origin, host } = await serve((_request, response) => {
      response.on('close', () => (isClosed = true))
      response.write('part 1')
    })
    const { run } = await open(wall, { net: [host] })
    const source = `
      for await (const bytes of (await fetch(args.origin)).body) return new TextDecoder().decode(bytes)`
    expect(await run(source, { origin })).toBe('part 1')
    await expect.poll(() => isClosed).toBe(true)
  })

  test('a signal aborts a request, and a body', async () => {
    const { origin, host } = await serve(
      (request, response) => void (request.url === '/body' && response.write('part')),
    )
    const { run } = await open(wall, { net: [host] })
    const source = `
      const before = new AbortController()
      const sent = fetch(args.origin, { signal: before.signal }).catch(reason => reason)
      setTimeout(() => before.abort('head'), 1)
      const after = new AbortController()
      const reader = (await fetch(args.origin + '/body', { signal: after.signal })).body.getReader()
      await reader.read()
      const read = reader.read().catch(reason => reason)
      after.abort('body')
      const early = fetch(args.origin, { signal: AbortSignal.abort('early') }).catch(reason => reason)
      return Promise.all([sent, read, early])`
    expect(await run(source, { origin })).toEqual(['head', 'body', 'early'])
  })

  test('more requests than can be open are refused, and the rest have their responses', async () => {
    const { origin, host } = await serve((_request, response) => void response.end('ok'))
    const { run } = await open(wall, { net: [host], ...LONGEST, memory: 64 })
    const source = `
      const sent = Array.from({ length: 260 }, () => fetch(args.origin).then(response => response.text(), error => error.reason))
      const outcomes = await Promise.all(sent)
      return ['ok', 'Overloaded'].map(outcome => outcomes.filter(each => each === outcome).length)`
    expect(await run(source, { origin })).toEqual([256, 4])
  })

  test('it finds placeholders of its secrets, which are sent to no other host, and not without encryption', async () => {
    const { origin, host } = await serve((request, response) => void response.end(request.headers.authorization))
    const { run } = await open(wall, { net: [host, 'api.example'], secrets: secrets('api.example') })
    const source = `
      const { KEY } = process.env
      const outcome = await fetch(args.origin, { headers: { authorization: KEY } }).then(r => r.text(), error => error.message)
      const other = (() => { try { return sallyport.getSecret('OTHER') } catch (error) { return error.reason } })()
      return { KEY, outcome, all: Object.keys(process), env: Object.keys(process.env), same: sallyport.getSecret('KEY') === KEY, other }`
    expect(await run(source, { origin })).toEqual({
      KEY: expect.stringMatching(/^sallyport-secret-[\da-f]{32}$/) as string,
      outcome: expect.stringContaining('KEY') as string,
      all: ['env'],
      env: ['KEY'],
      same: true,
      other: 'InvalidParams',
    })
  })

  test('a run that is interrupted has the network and the placeholders of its resume', async () => {
    const { origin, host } = await serve((_request, response) => void response.end('ok'))
    const { bus, run, sandbox } = await open(wall, { net: [host], secrets: secrets(host) })
    const source = `
      const before = process.env.KEY
      const first = await (await fetch(args.origin)).text()
      await invoke('ask')
      const second = await fetch(args.origin).then(response => response.text(), error => error.message)
      return [first, second, before === process.env.KEY]`
    const options = { allow: ['ask'], label: 'r', report: true }
    const resume = async (next: QuickjsSandbox): Promise<unknown> => {
      const report = await run(source, { origin }, options)
      const { continuation } = report as { continuation: Uint8Array }
      return bus.resume(continuation, { value: 1 }, { allow: ['ask'], label: 'r', sandbox: next, timeout: 60_000 })
    }
    expect(await resume(sandbox)).toEqual(['ok', 'ok', false])
    const { net: _, secrets: __, ...without } = sandbox
    expect(await resume(without)).toEqual(['ok', 'The script has no network any more', true])
  })
})

test('without hosts there is no fetch', async () => {
  const { run } = await open('none', {})
  expect(await run('return [typeof fetch, typeof Headers, typeof process]')).toEqual([
    'undefined',
    'undefined',
    'undefined',
  ])
})

test('it refuses wrong options', () =>
  rows<[object, string]>([
    [{ net: ['a.example'] }, 'sandbox.net must be left out: it needs process: true'],
    [{ secrets: secrets('a.example') }, 'sandbox.secrets must be left out: it needs process: true'],
    [{ process: true, net: true }, 'sandbox.net must be an array of hosts'],
    [{ process: true, net: ['a.example/'] }, 'sandbox.net[0] must be a host'],
    [{ process: true, net: ['a.example'], secrets: secrets('b.example') }, 'add "b.example" to that list'],
  ])(async (options, message) => {
    const bus = await start({ core })
    const sandbox = { kind: 'quickjs', ...options } as QuickjsSandbox
    await expect(bus.run('return 1', { sandbox })).rejects.toThrow(message)
  }))
