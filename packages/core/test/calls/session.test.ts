// Input of hostile or broken frontends, byte by byte. An invalid message gets a typed error, an invalid frame closes the session,
// and other sessions are not affected.
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { codecs } from '@sallyport/protocol/internal/codec'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { FRAME_KIND, type FrameKind } from '@sallyport/protocol/internal/wire'
import { Peer, attachSealed, call, ran, setUp } from '../support/peer.js'
import { command, type CommandContext } from '../../src/index.js'
import { rows } from '../../../../scripts/testing.js'

const emitAll = (event: string, payloads: readonly unknown[]): string =>
  JSON.stringify({ jsonrpc: '2.0', method: '$/emit', params: { event, payloads } })
/** Reports to the host about a frontend that violated the protocol. */
const faultReports = [
  { type: 'fault', label: 'main' },
  { type: 'closed', id: 1 },
]

describe('an invalid message gets an error and leaves the session open', () => {
  test('whatever is wrong in it', () =>
    rows([
      ['no jsonrpc', '{"id":1,"method":"ok"}', 1, -32600, /`jsonrpc`/],
      ['another version', '{"jsonrpc":"1.0","id":1,"method":"ok"}', 1, -32600, /`jsonrpc`/],
      ['no method', '{"jsonrpc":"2.0","id":1}', 1, -32600, /`method`/],
      ['an empty method', call(1, ''), 1, -32600, /`method`/],
      ['a fraction as id', call(1.5, 'ok'), null, -32600, /`id`/],
      ['an id of 2^53 + 1', '{"jsonrpc":"2.0","id":9007199254740993,"method":"ok"}', null, -32600, /`id`/],
      ['an array as id', call([1], 'ok'), null, -32600, /`id`/],
      ['null as id', call(null, 'ok'), null, -32600, /`id`/],
      ['array params', call(1, 'ok', ',"params":[1]'), 1, -32600, /`params` of "ok"/],
      ['params that are a string', call(1, 'ok', ',"params":"x"'), 1, -32600, /`params`/],
      ['headers that are not strings', call(1, 'ok', ',"headers":{"a":1}'), 1, -32600, /`headers`/],
      ['a number', '42', null, -32600, /object/],
      ['null', 'null', null, -32600, /object/],
      ['a nested batch', '[[]]', null, -32600, /object/],
      ['an answer to no call', '{"jsonrpc":"2.0","id":1,"result":1}', null, -32600, /never made/],
      ['neither call nor answer', '{"jsonrpc":"2.0","id":1}', 1, -32600, /`method`/],
      ['a rejection of a gate', call(1, '$/rejected', ',"params":{"id":2,"error":{}}'), 1, -32600, /"\$\/rejected"/],
      ['a notification of core', '{"jsonrpc":"2.0","id":1,"method":"$/event","params":{}}', 1, -32600, /"\$\/event"/],
      ['a cancel with an id', call(1, '$/cancelRequest', ',"params":{"id":2}'), 1, -32600, /cancelRequest/],
      ['an unknown command', call(1, 'nope'), 1, -32601, /Command nope not found/],
      [
        'a name that is no text',
        call(1, 'plugin:host|run_function', ',"params":{"name":{"toString":1,"valueOf":1}}'),
        ...([1, -32601, /has no function/] as const),
      ],
      ['a method of 1 MiB', call(1, 'x'.repeat(2 ** 20)), 1, -32601, /not found/],
    ])(async (_name, text, id, code, message) => {
      const { core, reports } = await setUp()
      const peer = new Peer(core, 'main').send(text).send(call('again', 'ok'))
      const answer = await peer.next()
      expect(answer).toMatchObject({ jsonrpc: '2.0', id, error: { code, message: expect.stringMatching(message) } })
      expect(JSON.stringify(answer).length).toBeLessThan(1000)
      expect(await peer.next()).toEqual({ jsonrpc: '2.0', id: 'again', result: 'fine' })
      expect(reports).toEqual([])
    }))

  test('answers each message of a batch', async () => {
    const peer = new Peer((await setUp()).core, 'main').send(`[${call(1, 'ok')},1,${call(2, 'nope')},${call(3, 'ok')}]`)
    expect([await peer.next(), await peer.next(), await peer.next(), await peer.next()]).toMatchObject([
      { id: 1, result: 'fine' },
      { id: null, error: { code: -32600 } },
      { id: 2, error: { code: -32601 } },
      { id: 3, result: 'fine' },
    ])
  })

  test('answers `$/sync` in order, whatever is in flight', async () => {
    const peer = new Peer((await setUp()).core, 'main')
    peer.send(`[${call(1, 'forever')},${call(2, 'ok')},${call(3, '$/sync')},${call(4, 'ok')}]`)
    expect([await peer.next(), await peer.next(), await peer.next()]).toMatchObject([
      { id: 2, result: 'fine' },
      { id: 3, result: null },
      { id: 4, result: 'fine' },
    ])
  })

  test('rejects a second call with an id in flight, and still answers the first', async () => {
    const peer = new Peer((await setUp()).core, 'main').send(call(1, 'forever')).send(call(1, 'ok'))
    expect(await peer.next()).toMatchObject({
      id: 1,
      error: { message: expect.stringContaining('its id "1" is open') as string },
    })
    peer.send(call(2, 'ok'))
    expect(await peer.next()).toMatchObject({ id: 2, result: 'fine' })
  })
})

test('an invalid frame closes the session', () =>
  rows<[string, string | Uint8Array, FrameKind, number]>([
    ['invalid JSON', '{"jsonrpc":', FRAME_KIND.json, -32700],
    ['an empty body', '', FRAME_KIND.json, -32700],
    ['an empty batch', '[]', FRAME_KIND.json, -32600],
    ['invalid UTF-8', new Uint8Array([0x22, 0xff, 0x22]), FRAME_KIND.json, -32700],
    ['a key named __proto__', call(1, 'deep', ',"params":{"a":{"__proto__":{"x":1}}}'), FRAME_KIND.json, -32700],
    ['nested deeper than 64, in a large frame', `${'['.repeat(70_000)}`, FRAME_KIND.json, -32700],
    ['random msgpack', new Uint8Array([0xc1, 0, 1]), FRAME_KIND.msgpack, -32700],
    ['a msgpack extension', new Uint8Array([0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61]), FRAME_KIND.msgpack, -32700],
    ['a record in brownfield', new Uint8Array(100), FRAME_KIND.sealed, -32600],
    ['an attachment that is too small', new Uint8Array(100), FRAME_KIND.bytes, -32600],
    ['an attachment that is too large', new Uint8Array(2 ** 28 + 1), FRAME_KIND.bytes, -32600],
    ['a mark without an attachment', new Uint8Array([0xd6, 0x53, 0, 1, 0, 0]), FRAME_KIND.msgpack, -32700],
    ['a frame over the limit', `"${'x'.repeat(2 ** 24)}"`, FRAME_KIND.json, -32700],
  ])(async (_name, body, kind, code) => {
    const { core, reports } = await setUp()
    const other = new Peer(core, 'other')
    const peer = new Peer(core, 'main').send(body, kind).send(call(9, 'count'))
    const before = ran.times
    expect(await peer.next()).toMatchObject({ id: null, error: { code } })
    await peer.end()
    expect(reports).toMatchObject(faultReports)
    other.send(call(1, 'ok'))
    expect(await other.next()).toMatchObject({ id: 1, result: 'fine' })
    expect(ran.times).toBe(before)
    expect(Object.prototype).not.toHaveProperty('x')
  }))

test('a call that waits in the link when its frontend ends has the rights of the frontend, which end with the session', async () => {
  const { core, reports } = await setUp('brownfield', undefined, [])
  const peer = new Peer(core, 'main', undefined, 'json', { allow: { from: 'the test', entries: ['ok'] } })
    .send(call(1, 'ok'))
    .send(call(2, 'count'))
  core.codeEnded({ type: 'ended', frontend: peer.frontend, next: 'restart', drops: false })
  expect([await peer.next(), await peer.next()]).toMatchObject([{ result: 'fine' }, { error: { code: -32001 } }])
  peer.link.close()
  await expect.poll(() => reports.some(({ type }) => type === 'closed')).toBe(true)
  expect(await new Peer(core, 'main').send(call(1, 'ok')).next()).toMatchObject({ error: { code: -32001 } })
})

test('a link that core refuses is closed, and the port for its key', () =>
  rows([
    ['an unknown command in `allow`', 'isolation', { from: 'the test', entries: ['no-such-command'] }],
    ['a key where none is used', 'brownfield', undefined],
  ] as const)(async (_why, pattern, allow) => {
    const { core } = await setUp(pattern)
    const [endpoint, other] = createLinkEndpoints('port')
    const keys = new MessageChannel()
    const closed = createDeferred()
    openLink(other, true).receive({ frame() {}, closed: () => closed.resolve() })
    const portClosed = once(keys.port2, 'close')
    const offer = { frontend: 1, label: 'main', codec: 'json', endpoint, id: 1, keyPort: keys.port1 } as const
    expect(() => core.attach({ ...offer, allow })).toThrow()
    await Promise.all([closed.promise, portClosed])
  }))

describe('a message', () => {
  const ended: string[] = []
  const commands = {
    who: (_args: object, { label }: CommandContext) => label,
    forever: (_args: object, { label, signal }: CommandContext) =>
      new Promise(() => signal.addEventListener('abort', () => void ended.push(label!))),
  }

  test('no field of a message tells who has sent it', () =>
    rows([
      ',"label":"other"',
      ',"from":"other","frontend":2,"session":2',
      ',"headers":{"label":"other","Tauri-Window-Label":"other","sallyport-label":"other"}',
      ',"params":{"label":"other","windowLabel":"other","__TAURI_LABEL__":"other"}',
    ])(async more => {
      const { core } = await setUp('brownfield', commands)
      new Peer(core, 'other')
      expect(await new Peer(core, 'main').send(call(1, 'who', more)).next()).toMatchObject({ result: 'main' })
    }))

  test('a call that is denied, or whose arguments the schema refuses, does not run', async () => {
    let times = 0
    const validate = () => ({ issues: [{ message: 'no' }] })
    const args = { '~standard': { version: 1, vendor: 'the test', validate } } as const
    const strict = command({ args }, () => void times++)
    const { core } = await setUp('brownfield', { strict, open: () => void times++ }, ['main'])
    expect(await new Peer(core, 'main').send(call(1, 'strict')).next()).toMatchObject({ error: { code: -32602 } })
    expect(await new Peer(core, 'other').send(call(1, 'open')).next()).toMatchObject({ error: { code: -32001 } })
    expect(times).toBe(0)
    await new Peer(core, 'main').send(call(1, 'open')).next()
    expect(times).toBe(1)
  })

  test('a message cancels no call of another frontend by its id', async () => {
    const { core } = await setUp('brownfield', commands)
    const [victim, attacker] = [new Peer(core, 'victim'), new Peer(core, 'attacker')]
    victim.send(call(1, 'forever')).send(call(2, 'who'))
    expect(await victim.next()).toMatchObject({ id: 2 })
    attacker.send(call(1, 'forever')).send('{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}')
    await expect.poll(() => ended).toEqual(['attacker'])
  })
})

describe('attachments', () => {
  const bytes = (): Uint8Array => new Uint8Array(2 ** 26)

  test('without a message are kept up to a limit, and close the session beyond it', async () => {
    const { core, reports } = await setUp()
    const peer = new Peer(core, 'main')
    for (let i = 0; i < 4; i++) peer.send(bytes(), FRAME_KIND.bytes)
    peer.send(call(1, 'ok'))
    expect(await peer.next()).toMatchObject({ id: 1, result: 'fine' })
    peer.send(bytes(), FRAME_KIND.bytes).send(call(2, 'ok'))
    expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } })
    await peer.end()
    expect(reports).toMatchObject(faultReports)
  })

  test('close the session before anything runs when a frame has no marks for them', async () => {
    const { core } = await setUp()
    const peer = new Peer(core, 'main').send(bytes(), FRAME_KIND.bytes)
    const before = ran.times
    peer.send(codecs.msgpack.encode({ jsonrpc: '2.0', id: 1, method: 'count' }) as Uint8Array, FRAME_KIND.msgpack)
    expect(await peer.next()).toMatchObject({ id: null, error: { code: -32700 } })
    await peer.end()
    expect(ran.times).toBe(before)
  })
})

describe('in the isolation pattern', () => {
  async function setUpIsolation() {
    const { core, reports } = await setUp('isolation')
    return { attach: (label: string) => attachSealed(core, label), reports }
  }

  test('opens and serves records', async () => {
    const { peer, sealer } = await (await setUpIsolation()).attach('main')
    peer.send(sealer.seal(FRAME_KIND.json, `[${call(1, 'ok')},${call(2, 'ok')}]`, 2), FRAME_KIND.sealed)
    expect([await peer.next(), await peer.next()]).toMatchObject([{ id: 1, result: 'fine' }, { id: 2 }])
  })

  test('answers a request that its gate has rejected', async () => {
    const { peer, sealer } = await (await setUpIsolation()).attach('main')
    const error = { code: -32002, message: 'rejected', data: { why: 'null' } }
    const rejected = JSON.stringify({ jsonrpc: '2.0', method: '$/rejected', params: { id: 1, error } })
    peer.send(sealer.seal(FRAME_KIND.json, `[${rejected},${call(2, 'ok')}]`, 2), FRAME_KIND.sealed)
    expect([await peer.next(), await peer.next()]).toEqual([
      { jsonrpc: '2.0', id: 1, error },
      { jsonrpc: '2.0', id: 2, result: 'fine' },
    ])
  })

  test('creates a new key for each session', async () => {
    const [firstCore, secondCore] = [await setUpIsolation(), await setUpIsolation()]
    const keys = [await firstCore.attach('a'), await firstCore.attach('b'), await secondCore.attach('a')].map(
      ({ key }) => key,
    )
    const texts = keys.flatMap(({ secret, session }) =>
      [secret, session].map(bytes => Buffer.from(bytes).toString('hex')),
    )
    expect(new Set(texts).size).toBe(6)
  })

  test('closes the session before anything runs on plaintext, a replay, and a record of another session', () =>
    rows([
      ['a plaintext frame', () => [FRAME_KIND.json, call(1, 'count')] as const],
      ['a replayed record', (first: Uint8Array) => [FRAME_KIND.sealed, first] as const],
      ['a record of another session', (_: Uint8Array, other: Uint8Array) => [FRAME_KIND.sealed, other] as const],
    ])(async (_name, make) => {
      const { attach, reports } = await setUpIsolation()
      const [{ peer, sealer }, other] = [await attach('main'), await attach('other')]
      const seal = (by: typeof sealer, text: string): Uint8Array => by.seal(FRAME_KIND.json, text, 1).slice()
      const first = seal(sealer, call(1, 'count'))
      peer.send(first, FRAME_KIND.sealed)
      await peer.next()
      const before = ran.times
      const [kind, body] = make(first, seal(other.sealer, call(1, 'count')))
      peer.send(body, kind)
      expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } })
      await peer.end()
      expect(ran.times).toBe(before)
      expect(reports).toMatchObject(faultReports)
    }))

  test('reports a fault for an attachment in plaintext or with a message count', async () => {
    const { attach, reports } = await setUpIsolation()
    const bytes = new Uint8Array(2 ** 16)
    const [clear, counted] = [await attach('clear'), await attach('counted')]
    clear.peer.send(bytes.slice(), FRAME_KIND.bytes).send(call(1, 'ok'))
    counted.peer.send(counted.sealer.seal(FRAME_KIND.bytes, bytes, 1), FRAME_KIND.sealed)
    for (const { peer } of [clear, counted]) {
      expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } })
      await peer.end()
    }
    expect(reports.filter(({ type }) => type === 'fault').length).toBe(2)
  })

  test('closes the session when the message count of a record is wrong', () =>
    rows([
      ['too high', call(1, 'count'), 2],
      ['that of the messages, without the events in them', emitAll('e', [1, 2]), 1],
    ])(async (_name, body, count) => {
      const { peer, sealer } = await (await setUpIsolation()).attach('main')
      peer.send(sealer.seal(FRAME_KIND.json, body, count), FRAME_KIND.sealed)
      expect(await peer.next()).toMatchObject({ id: null, error: { message: expect.stringContaining('count') } })
      await peer.end()
    }))
})
