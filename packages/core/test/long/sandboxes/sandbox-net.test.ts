// The network of a sandboxed frontend: Node 25 and later and the wall of a process deny it, unless `net` grants it.
import { once } from 'node:events'
import { createServer as createWebServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defineCore } from '../../../src/index.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { fixture, start } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

const core = defineCore({})
const module = fixture('sandboxes/connecting.mjs')
const isDeniedByNode = process.allowedNodeEnvironmentFlags.has('--allow-net')
const hasWall = (await findWall()).launcher !== undefined
const cases = [
  ['permission', { kind: 'permission' }, isDeniedByNode],
  ['process without a wall', { kind: 'process', wall: 'none' }, isDeniedByNode],
  ['process', { kind: 'process' }, isDeniedByNode || hasWall],
] as const
const server = createServer()
let data: object

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  data = { port: (server.address() as AddressInfo).port }
})
afterAll(() => void server.close())

test('is granted by net: true', () =>
  rows(cases.map(([, sandbox]) => sandbox))(async sandbox => {
    const bus = await start({ core })
    const connected = once(server, 'connection')
    await bus.open('main', module, { data, sandbox: { ...sandbox, net: true } })
    await connected
  }))

test('is otherwise denied with the option to set, but open if neither Node nor a wall denies it', () =>
  rows(cases)(async (_, sandbox, isDenied) => {
    const bus = await start({ core })
    const connected = once(server, 'connection').then(() => 'connected')
    const failed = new Promise<string>(resolve => bus.on('fault', ({ error }) => resolve(error.message)))
    const rejected = bus.open('main', module, { data, sandbox, supervision: { restart: 'temporary' } }).then(
      () => failed,
      (error: Error) => error.message,
    )
    const expected = isDenied
      ? `Allow it: add net: true to the frontend's sandbox, { kind: '${sandbox.kind}', … }`
      : 'connected'
    expect(await Promise.race([connected, failed, rejected])).toContain(expected)
  }))

test('is not left open by net: false, which is refused with the alternatives if nothing denies it', () =>
  rows(cases)(async (_, sandbox, isDenied) => {
    const main = { data, sandbox: { ...sandbox, net: false } }
    const text = isDenied
      ? /The sandbox denied the network/
      : /: frontends\.main\.sandbox\.net must not be false: .* Node\.js 25 or later, use sandbox: "process" in a wall .* container/
    await expect(start({ core, frontends: { main: { module, ...main } } })).rejects.toThrow(text)
    const bus = await start({ core })
    await expect(bus.open('main', module, main)).rejects.toMatchObject({
      reason: isDenied ? 'LoadFailed' : 'InvalidParams',
    })
  }))

test.runIf(!isDeniedByNode)('an open network of a process is a warning, once, with the remedies', async () => {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: line => void lines.push((JSON.parse(line) as { msg: string }).msg) })
  const bus = await start({ core, log })
  const options = { data, sandbox: { kind: 'process', wall: 'none' } } as const
  for (const label of ['one', 'two']) await bus.open(label, module, options)
  expect(lines).toEqual([expect.stringMatching(/^The network of processes of frontends is open: .* in a wall/)])
})

test.skipIf(!hasWall)(
  'an upload, and every request after it, goes on beside downloads that are aborted',
  { timeout: 120_000 },
  async () => {
    const web = createWebServer((request, response) => {
      let bytes = 0
      request.on('data', (chunk: Buffer) => (bytes += chunk.length))
      request.on('end', () => response.end(request.url === '/big' ? Buffer.alloc(2 ** 25) : String(bytes)))
    })
    await once(web.listen(0, '127.0.0.1'), 'listening')
    const host = `127.0.0.1:${(web.address() as AddressInfo).port}`
    const source = `
    import { expose } from '@sallyport/frontend'
    const base = 'http://${host}'
    let isOver = false
    expose({
      async upload() {
        const answer = await fetch(base + '/up', { method: 'POST', body: new Uint8Array(20 * 2 ** 20) })
        isOver = true
        return answer.text()
      },
      async abort() {
        for (let n = 0; n < 60 && !isOver; n++) {
          const controller = new AbortController()
          await fetch(base + '/big', { signal: controller.signal })
          controller.abort()
          await (await fetch(base + '/small')).text()
        }
        return (await fetch(base + '/small')).text()
      },
    })`
    const bus = await start({ core })
    await bus.open('main', { source }, { sandbox: { kind: 'process', net: [host] } })
    expect(await Promise.all(['upload', 'abort'].map(name => bus.call('main', name)))).toEqual(['20971520', '0'])
    web.closeAllConnections()
    web.close()
  },
)
