// The network of a sandboxed frontend: Node 25 and later deny it, unless `net` grants it.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defineCore } from '../../../src/index.js'
import { fixture, start } from '../../support/start.js'

const core = defineCore({})
const module = fixture('sandboxes/connecting.mjs')
const isDeniedByNode = process.allowedNodeEnvironmentFlags.has('--allow-net')
const server = createServer()
let data: object

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  data = { port: (server.address() as AddressInfo).port }
})
afterAll(() => void server.close())

test.each(['permission', 'process'] as const)('is granted by net: true: %s', async kind => {
  const bus = await start({ core })
  const connected = once(server, 'connection')
  await bus.open('main', module, { data, sandbox: { kind, net: true } })
  await connected
})

test.each(['permission', 'process'] as const)(
  'is otherwise open before Node 25, and denied with the option to set since: %s',
  async kind => {
    const bus = await start({ core })
    const connected = once(server, 'connection').then(() => 'connected')
    const failed = new Promise<string>(resolve => bus.on('fault', ({ error }) => resolve(error.message)))
    const rejected = bus.open('main', module, { data, sandbox: { kind }, supervision: { restart: 'temporary' } }).then(
      () => failed,
      (error: Error) => error.message,
    )
    const expected = isDeniedByNode
      ? `Allow it with the frontend's option sandbox: { kind: '${kind}', net: true }`
      : 'connected'
    expect(await Promise.race([connected, failed, rejected])).toContain(expected)
  },
)

test.each(['permission', 'process'] as const)(
  'is not left open by net: false, which is refused with the alternatives before Node 25: %s',
  async kind => {
    const main = { data, sandbox: { kind, net: false } }
    const text = isDeniedByNode
      ? /The sandbox denied the network/
      : /: frontends\.main\.sandbox\.net must not be false: .* Node\.js 25 or later, use sandbox: "ses", .* container/
    await expect(start({ core, frontends: { main: { module, ...main } } })).rejects.toThrow(text)
    const bus = await start({ core })
    await expect(bus.open('main', module, main)).rejects.toMatchObject({
      reason: isDeniedByNode ? 'InternalError' : 'InvalidParams',
    })
  },
)
