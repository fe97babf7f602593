// Responses of a frontend pass the hook like its calls, in order. A rejected response is replaced by an error.
import { codecs } from '@sallyport/protocol/internal/codec'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { call, ids, send, setUp, settled } from '../../test/gate.js'

const result = (id: number, value: unknown) => ({ jsonrpc: '2.0' as const, id, result: value })
const failure = (id: number, message: string) => ({ jsonrpc: '2.0' as const, id, error: { code: -32000, message } })

test('a call keeps the channel of its stream, whatever options the hook returns', () =>
  rows<[what: string, options: unknown, headers: unknown]>([
    ['omits the options', undefined, { 'sallyport-stream': '__CHANNEL__:5' }],
    [
      'sets another channel',
      { headers: { 'sallyport-stream': '__CHANNEL__:6', b: '2' } },
      { b: '2', 'sallyport-stream': '__CHANNEL__:5' },
    ],
  ])(async (_what, options, headers) => {
    const { frontendLink, sealed } = setUp(message => ({ ...(message as object), options }))
    send(frontendLink, { ...call(1), headers: { a: '1', 'sallyport-stream': '__CHANNEL__:5' } })
    await settled()
    expect(sealed).toMatchObject([{ id: 1, headers }])
  }))

test('a call does not become a stream when the hook adds a channel', async () => {
  const { frontendLink, sealed } = setUp(message => ({
    ...(message as object),
    options: { headers: { 'sallyport-stream': '__CHANNEL__:6', b: '2' } },
  }))
  send(frontendLink, call(1))
  await settled()
  expect((sealed[0] as { headers?: unknown }).headers).toEqual({ b: '2' })
})

describe('a response', () => {
  test('is shown as a command of its own, and sealed unchanged', async () => {
    const shown: unknown[] = []
    const { frontendLink, sealed, responses } = setUp(message => {
      shown.push(message)
      return message
    })
    send(frontendLink, result(1, { a: 1 }), failure(2, 'no'), result(3, null))
    const value = { jsonrpc: '2.0' as const, method: '$/channel', params: { channel: 9, index: 0, message: 'value' } }
    send(frontendLink, { ...value, params: { ...value.params, other: 1 } } as never)
    const bytes = result(4, { data: new Uint8Array([1, 2]) })
    frontendLink.send({ kind: FRAME_KIND.msgpack, body: codecs.msgpack.encode(bytes) as Uint8Array })
    await settled()
    expect(sealed).toEqual([result(1, { a: 1 }), failure(2, 'no'), result(3, null), value, bytes])
    const cmd = 'plugin:expose|answer'
    expect(shown[3]).toMatchObject({ cmd, callback: 9, payload: { result: 'value' } })
    expect(shown.slice(0, 2)).toEqual([
      { cmd, callback: 1, error: 1, payload: { result: { a: 1 } }, options: undefined },
      { cmd, callback: 2, error: 2, payload: { error: { code: -32000, message: 'no' } }, options: undefined },
    ])
    expect(responses).toEqual([])
  })

  test('becomes an error for core, in order, when it is rejected', async () => {
    let release = (): void => {}
    const { frontendLink, sealed, responses, rejected } = setUp(message => {
      const { payload } = message as { payload: { result?: unknown } }
      if (payload.result === 'wait') return new Promise(resolve => (release = () => resolve(message)))
      return payload.result === 'bad' ? null : message
    })
    send(frontendLink, result(1, 'wait'), result(2, 'bad'), call(3))
    await settled()
    expect(sealed).toEqual([])
    release()
    await settled()
    expect(ids(sealed)).toEqual([1, 2, 3])
    expect(sealed[1]).toEqual({
      jsonrpc: '2.0',
      id: 2,
      error: {
        code: -32002,
        message: "The frontend's response was rejected by the isolation hook (it returned null or undefined)",
        data: { why: 'null' },
      },
    })
    expect(rejected).toEqual(['plugin:expose|answer: null'])
    expect(responses).toEqual([])
  })

  test('is not dropped when the frontend cancels its own call with the same id', async () => {
    let release = (): void => {}
    const { frontendLink, sealed } = setUp(message => new Promise(resolve => (release = () => resolve(message))))
    const cancel = { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } }
    send(frontendLink, result(1, 'x'), cancel)
    await settled()
    release()
    await settled()
    expect(sealed).toEqual([cancel, result(1, 'x')])
  })

  test('is refused by the gate if it is malformed, and core gets an error if the id is valid', () =>
    rows<[what: string, message: object, toCore: object[]]>([
      ['a result and an error', { ...result(1, 1), ...failure(1, 'x') }, [{ id: 1, error: { code: -32600 } }]],
      ['no id', { jsonrpc: '2.0', result: 1 }, []],
      ['an invalid id', result([1] as never, 1), []],
      ['an invalid error', { jsonrpc: '2.0', id: 1, error: 'x' }, [{ id: 1, error: { code: -32600 } }]],
    ])(async (_what, message, toCore) => {
      const { frontendLink, sealed, responses } = setUp(() => expect.unreachable())
      send(frontendLink, message)
      await settled()
      expect(responses).toMatchObject([{ id: null, error: { code: -32600 } }])
      expect(sealed).toMatchObject(toCore)
      expect(sealed).toHaveLength(toCore.length)
    }))
})
