import { describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { crossed, IN_BROWSER, JSON_BYTES_KIND, JSON_KIND, MSGPACK_KIND, result, setUp } from '../../test/peer.js'
import type { InvokeOptions } from './arguments.js'

const bytes = new Uint8Array([1, 2, 3])

describe('the kind of frame of a call', () => {
  it('says that it has bytes, wherever they are', () =>
    rows<[string, number, object, object]>([
      ['a Uint8Array as the whole body', JSON_BYTES_KIND, bytes, bytes],
      ['a Buffer as the whole body', JSON_BYTES_KIND, Buffer.from(bytes), bytes],
      ['an ArrayBuffer as the whole body', JSON_BYTES_KIND, bytes.slice().buffer, bytes],
      ['a Uint8Array as an argument', JSON_BYTES_KIND, { a: 1, data: bytes }, { a: 1, data: bytes }],
      ['an ArrayBuffer as an argument', JSON_BYTES_KIND, { data: bytes.slice().buffer }, { data: bytes }],
      ['a Uint8Array in a list', JSON_BYTES_KIND, { list: [{ data: bytes }] }, { list: [{ data: bytes }] }],
      ['an empty Uint8Array', JSON_BYTES_KIND, new Uint8Array(), new Uint8Array()],
      ['a date', JSON_KIND, { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
      ['null and undefined', JSON_KIND, { a: null, b: undefined }, { a: null }],
    ])(async (_name, kind, args, arrives) => {
      const { client, peer } = setUp()
      void client.invoke('x', args)
      await crossed()
      expect(peer.kinds).toEqual([kind])
      expect(peer.last).toStrictEqual({ jsonrpc: '2.0', id: 1, method: 'x', params: arrives })
    }))

  it.skipIf(IN_BROWSER)('is always msgpack when the client has chosen it', async () => {
    const { client, peer } = setUp('msgpack')
    void client.invoke('x', { big: 2n ** 60n, at: new Date(5), deep: { data: bytes } })
    void client.emit('e', undefined)
    const { signal } = new AbortController()
    void client.invoke('y', {}, { timeout: false, signal }).catch(() => {})
    await crossed()
    await crossed()
    expect(new Set(peer.kinds)).toEqual(new Set([MSGPACK_KIND]))
    expect(peer.received[0]!.params).toStrictEqual({ big: 2n ** 60n, at: new Date(5), deep: { data: bytes } })
  })

  it('follows the same rule for an event', () =>
    rows([
      ['bytes', bytes, JSON_BYTES_KIND],
      ['bytes within', [{ data: bytes }], JSON_BYTES_KIND],
      ['no bytes', { a: 1 }, JSON_KIND],
    ])(async (_name, payload, kind) => {
      const { client, peer } = setUp()
      await client.emit('e', payload)
      await client.emitTo('main', 'e', payload)
      await crossed()
      expect(new Set(peer.kinds)).toEqual(new Set([kind]))
      if (kind === JSON_BYTES_KIND) expect(peer.last.params.payload).toStrictEqual(payload)
    }))

  it('can change within a tick, and the order holds', async () => {
    const { client, peer } = setUp()
    void client.invoke('a')
    void client.invoke('b', bytes)
    void client.invoke('c', { data: bytes })
    void client.emit('d', bytes)
    void client.emitTo('main', 'e')
    await crossed()
    expect(peer.kinds).toEqual([JSON_KIND, JSON_BYTES_KIND, JSON_KIND])
    expect(peer.methods).toEqual(['a', 'b', 'c', 'plugin:event|emit', 'plugin:event|emit_to'])
    expect(peer.received[3]!.params).toStrictEqual({ event: 'd', payload: bytes })
  })
})

describe('a call with arguments that cannot be serialized', () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  let deep: unknown = 1
  for (let i = 0; i < 70; i++) deep = [deep]
  const proto: unknown = JSON.parse('{"__proto__":1}')

  const values: ['json' | 'msgpack', string, unknown, string][] = [
    ['json', 'a BigInt', 1n, 'is a BigInt, which JSON cannot represent'],
    ['json', 'a cycle', cycle, 'circular structure'],
    ['json', 'a Map', new Map(), 'a\\.value is a value of type Map, which JSON cannot represent'],
    ['json', 'a typed array next to bytes', [new Float32Array(1), bytes], 'is a value of type Float32Array'],
    ['json', 'a key __proto__', proto, 'a key named "__proto__" is refused'],
    ['json', 'a large and deep value', [deep, 'x'.repeat(70_000)], 'nested deeper than 64'],
    ['msgpack', 'a symbol', Symbol('x'), 'a\\.value is a symbol'],
    ['msgpack', 'a large BigInt', 2n ** 64n, 'too large'],
    ['msgpack', 'a cycle', cycle, 'circular structure'],
    ['msgpack', 'a key __proto__', proto, 'a key named "__proto__" is refused'],
    ['msgpack', 'a deep value', deep, 'nested deeper than 64'],
    ['msgpack', 'a typed array', new Float32Array(1), 'is a value of type Float32Array'],
  ]
  const inPage = values.filter(([codec, , value]) => codec === 'json' && value !== 1n)

  it('rejects with the command and the reason, and the next call works', () =>
    rows(IN_BROWSER ? inPage : values)(async (codec, _name, value, why) => {
      const { client, peer } = setUp(codec)
      const before = client.invoke('before')
      const wrong = client.invoke('plugin:fs|write', { a: { value } })
      const after = client.invoke('after')
      await expect(wrong).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: expect.stringMatching(
          `^Arguments of command "plugin:fs\\|write" cannot be serialized as ${codec}: .*${why}`,
        ),
        cause: expect.any(Error),
      })
      await expect(client.emit('e', value)).rejects.toMatchObject({ reason: 'InvalidParams' })
      // The rejected call has only used an id.
      peer.send(result(3, 'b'), result(1, 'a'))
      expect([await before, await after]).toEqual(['a', 'b'])
      await crossed()
      expect(peer.methods).toEqual(['before', 'after'])
    }))

  it('rejects with the size when a message is over 16 MiB, or its bytes are over 256 MiB', async () => {
    const { client, peer } = setUp()
    await expect(client.invoke('x', { text: 'x'.repeat(2 ** 24) })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringMatching(/^A message of 167\d{5} bytes is over the limit of 16777216$/),
    })
    await expect(client.invoke('x', new Uint8Array(2 ** 28 + 1))).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: '268435457 bytes are over the limit of 268435456',
    })
    void client.invoke('y')
    await crossed()
    expect(peer.methods).toEqual(['y'])
  })

  it('rejects with the error of a toJSON or getter as its cause', async () => {
    const { client } = setUp()
    const mine = new RangeError('mine')
    const broken = {
      toJSON() {
        throw mine
      },
    }
    const getter = {
      get a() {
        throw mine
      },
    }
    await expect(client.invoke('x', { broken })).rejects.toMatchObject({ reason: 'InvalidParams', cause: mine })
    await expect(client.invoke('x', getter)).rejects.toMatchObject({ reason: 'InvalidParams', cause: mine })
  })
})

describe('a call rejects with InvalidParams', () => {
  it('when the arguments are not an object of names or bytes', () =>
    rows([
      ['a string', 'World', 'string'],
      ['a number', 1, 'number'],
      ['an array', ['World'], 'an array'],
      ['a function', () => {}, 'function'],
      ['a BigInt', 1n, 'bigint'],
    ])(async (_name, args, kind) => {
      const { client, peer } = setUp()
      await expect(client.invoke('greet', args as object)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: `Arguments of command "greet" must be an object of named arguments, or bytes: got ${kind}`,
      })
      await crossed()
      expect(peer.received).toEqual([])
    }))

  it('when the command is not a name', () =>
    rows([
      ['', '""'],
      [undefined, 'undefined'],
      [null, 'object'],
      [5, 'number'],
      [['greet'], 'object'],
      [() => {}, 'function'],
    ])(async (command, kind) => {
      const { client } = setUp()
      await expect(client.invoke(command as string)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: `A command's name must be a non-empty string: got ${kind}`,
      })
    }))

  it('when the options are invalid', () =>
    rows([null, 5, { timeout: -1 }, { timeout: '1' }, { signal: {} }])(async options => {
      const { client, peer } = setUp()
      await expect(client.invoke('greet', {}, options as InvokeOptions)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: expect.stringContaining('command "greet"'),
      })
      await crossed()
      expect(peer.received).toEqual([])
    }))

  it('instead of throwing', () => {
    const { client } = setUp()
    for (const wrong of [undefined, '', 5]) {
      const promise = client.invoke(wrong as string, wrong as never, wrong as never)
      expect(promise).toBeInstanceOf(Promise)
      promise.catch(() => {})
    }
  })
})

describe('the arguments of a call', () => {
  it('are sent as they are when the call is made, and are not changed', async () => {
    const { client, peer } = setUp()
    const channel = new client.Channel()
    const args = Object.freeze({ list: [1], channel })
    void client.invoke('x', args)
    args.list.push(2)
    await crossed()
    expect(peer.last.params).toEqual({ list: [1], channel: `__CHANNEL__:${channel.id}` })
    expect(args.channel).toBe(channel)
  })

  it('are sent together with headers', async () => {
    const { client, peer } = setUp()
    void client.invoke('x', bytes, { headers: { 'content-type': 'image/png' } })
    await crossed()
    expect(peer.last).toStrictEqual({
      jsonrpc: '2.0',
      id: 1,
      method: 'x',
      params: bytes,
      headers: { 'content-type': 'image/png' },
    })
  })
})
