// What a frontend responses passes the hook like what it calls: in order, as an answer, and where it is rejected an error takes
// its place.
import { codecs, FRAME_KIND } from '@sallyport/protocol'
import { describe, expect, test } from 'vitest'
import { call, ids, send, setUp, settled } from '../../test/gate.js'

const result = (id: number, value: unknown) => ({ jsonrpc: '2.0' as const, id, result: value })
const failure = (id: number, message: string) => ({ jsonrpc: '2.0' as const, id, error: { code: -32000, message } })

test.each<[what: string, options: unknown, headers: unknown]>([
  ['leaves the options out', undefined, { 'sallyport-stream': '__CHANNEL__:5' }],
  [
    'names another',
    { headers: { 'sallyport-stream': '__CHANNEL__:6', b: '2' } },
    { b: '2', 'sallyport-stream': '__CHANNEL__:5' },
  ],
])('the channel of a stream stays where the hook %s', async (_what, options, headers) => {
  const { frontendLink, sealed } = setUp(message => ({ ...(message as object), options }))
  send(frontendLink, { ...call(1), headers: { a: '1', 'sallyport-stream': '__CHANNEL__:5' } })
  await settled()
  expect(sealed).toMatchObject([{ id: 1, headers }])
})

test('a hook makes no stream of a call', async () => {
  const { frontendLink, sealed } = setUp(message => ({
    ...(message as object),
    options: { headers: { 'sallyport-stream': '__CHANNEL__:6', b: '2' } },
  }))
  send(frontendLink, call(1))
  await settled()
  expect((sealed[0] as { headers?: unknown }).headers).toEqual({ b: '2' })
})

describe('an answer', () => {
  test('is shown as a command of its own, and sealed as it is', async () => {
    const shown: unknown[] = []
    const { frontendLink, sealed, responses } = setUp(message => {
      shown.push(message)
      return message
    })
    send(frontendLink, result(1, { a: 1 }), failure(2, 'no'), result(3, null))
    const bytes = result(4, { data: new Uint8Array([1, 2]) })
    frontendLink.send({ kind: FRAME_KIND.msgpack, body: codecs.msgpack.encode(bytes) })
    await settled()
    expect(sealed).toEqual([result(1, { a: 1 }), failure(2, 'no'), result(3, null), bytes])
    const cmd = 'plugin:expose|answer'
    expect(shown.slice(0, 2)).toEqual([
      { cmd, callback: 1, error: 1, payload: { result: { a: 1 } }, options: undefined },
      { cmd, callback: 2, error: 2, payload: { error: { code: -32000, message: 'no' } }, options: undefined },
    ])
    expect(responses).toEqual([])
  })

  test('that is rejected becomes an error to core, in its turn', async () => {
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

  test('is not taken out by a cancel of the frontend’s own call of that id', async () => {
    let release = (): void => {}
    const { frontendLink, sealed } = setUp(message => new Promise(resolve => (release = () => resolve(message))))
    const cancel = { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } }
    send(frontendLink, result(1, 'x'), cancel)
    await settled()
    release()
    await settled()
    expect(sealed).toEqual([cancel, result(1, 'x')])
  })

  test.each<[what: string, message: object, toCore: object[]]>([
    ['both', { ...result(1, 1), ...failure(1, 'x') }, [{ id: 1, error: { code: -32600 } }]],
    ['no id', { jsonrpc: '2.0', result: 1 }, []],
    ['an id that is none', result([1] as never, 1), []],
    ['an error that is none', { jsonrpc: '2.0', id: 1, error: 'x' }, [{ id: 1, error: { code: -32600 } }]],
  ])('with %s is refused here, as an error about no call; core hears of it', async (_what, message, toCore) => {
    const { frontendLink, sealed, responses } = setUp(() => expect.unreachable())
    send(frontendLink, message)
    await settled()
    expect(responses).toMatchObject([{ id: null, error: { code: -32600 } }])
    expect(sealed).toMatchObject(toCore)
    expect(sealed).toHaveLength(toCore.length)
  })
})
