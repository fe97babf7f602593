// The gate over an in-memory link: order, housekeeping, what a hostile hook answer or frontend can do to it.
import { codecs, FRAME_KIND } from '@sallyport/protocol'
import { describe, expect, test } from 'vitest'
import { call, ids, send, setUp, turn } from '../../test/gate.js'
import type { HookFunction } from '../hook/hook.js'

describe('what passes', () => {
  test('is sealed as it is, a frame for a frame, in its codec', async () => {
    const { outside, sealed } = setUp(null)
    const first = { ...call(1, 'greet', { name: 'x' }), headers: { a: 'b' } }
    send(outside, first, call(2))
    const bytes = call(3, 'body', { data: new Uint8Array([1]) })
    outside.send({ kind: FRAME_KIND.msgpack, body: codecs.msgpack.encode(bytes) })
    await turn()
    expect(sealed).toEqual([first, call(2), bytes])
  })

  test('shares a record with others that came in short frames; of a longer frame there are two, of a long one one', async () => {
    const { outside, sealed, records } = setUp(null)
    const calls = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => call(from + at))
    for (const message of calls(1, 40)) send(outside, message)
    await turn()
    expect(records).toEqual([32, 8])
    send(outside, ...calls(41, 140))
    await turn()
    expect(records.slice(2)).toEqual([50, 50])
    send(outside, ...calls(141, 400))
    await turn()
    expect(records.slice(4)).toEqual([260])
    expect(ids(sealed)).toEqual(ids(calls(1, 400)))
  })

  test('before a frame that is none goes out all the same', async () => {
    const { outside, sealed, isClosed } = setUp(null)
    send(outside, call(1))
    outside.send({ kind: FRAME_KIND.json, body: '{' })
    await turn()
    expect(ids(sealed)).toEqual([1])
    expect(isClosed()).toBe(true)
  })

  test('keeps its id and its being a notification, whatever the hook does', async () => {
    const { outside, sealed } = setUp(() => ({ cmd: 'other', callback: 99, error: 98, payload: { n: 1 }, id: 97 }))
    send(outside, call(1), { jsonrpc: '2.0', method: 'm', params: {} })
    await turn()
    expect(sealed).toEqual([
      { jsonrpc: '2.0', id: 1, method: 'other', params: { n: 1 } },
      { jsonrpc: '2.0', method: 'other', params: { n: 1 } },
    ])
  })

  test('keeps its order behind a hook that takes its time', async () => {
    let release = (): void => {}
    const { outside, sealed } = setUp(message =>
      (message as { cmd: string }).cmd === 'slow'
        ? new Promise(resolve => (release = () => resolve(message)))
        : message,
    )
    send(outside, call(1), call(2, 'slow'), call(3))
    send(outside, call(4))
    await turn()
    expect(ids(sealed)).toEqual([1])
    release()
    await turn()
    expect(ids(sealed)).toEqual([1, 2, 3, 4])
  })

  test('housekeeping is not shown to the hook, and overtakes what waits', async () => {
    const shown: string[] = []
    const { outside, sealed } = setUp(message => {
      shown.push((message as { cmd: string }).cmd)
      return new Promise(() => {})
    })
    const credit = { jsonrpc: '2.0', method: '$/credit', params: { channel: 1, messages: 2 } }
    send(outside, call(1), credit)
    await turn()
    expect(shown).toEqual(['m'])
    expect(sealed).toEqual([credit])
  })
})

test('the end of a channel stays behind the call that it may belong to', async () => {
  let release = (): void => {}
  const { outside, sealed } = setUp(message => new Promise(resolve => (release = () => resolve(message))))
  const close = { jsonrpc: '2.0', method: '$/closeChannel', params: { channel: 1 } }
  send(outside, close, call(1), close)
  await turn()
  expect(sealed).toEqual([close])
  release()
  await turn()
  expect(sealed).toEqual([close, call(1), close])
})

describe('what does not pass', () => {
  test.each<[string, HookFunction]>([
    [
      'a throw of a proxy',
      () => {
        throw new Proxy({}, { get: () => expect.unreachable(), getPrototypeOf: () => expect.unreachable() })
      },
    ],
    [
      'a getter that throws',
      message =>
        Object.defineProperty({ ...(message as object) }, 'cmd', {
          get: () => {
            throw 1
          },
        }),
    ],
    [
      'a toJSON that throws a proxy',
      message => ({
        ...(message as object),
        payload: {
          toJSON() {
            throw new Proxy({}, { getPrototypeOf: () => expect.unreachable() })
          },
        },
      }),
    ],
    ['a payload that can’t be carried', message => ({ ...(message as object), payload: { n: 1n } })],
    ['one of the bus’s own methods', message => ({ ...(message as object), cmd: '$/cancelRequest' })],
    ['a promise that is never kept', () => new Promise(() => {})],
    ['a promise that rejects', () => Promise.reject(new Error('no'))],
    [
      'a thenable that throws',
      () => ({
        then() {
          throw new Error('no')
        },
      }),
    ],
  ])('%s: the caller is told, and the next message passes', async (_name, hook) => {
    const { outside, sealed, answers, rejected } = setUp(
      message => ((message as { cmd: string }).cmd === 'good' ? message : hook(message)),
      50,
    )
    send(outside, call(1, 'bad'), call(2, 'good'))
    await expect.poll(() => sealed.length).toBe(1)
    await turn()
    expect(answers).toMatchObject([
      { id: 1, error: { code: -32002, message: expect.stringMatching(/^command "bad" was rejected/) } },
    ])
    expect(ids(sealed)).toEqual([2])
    expect(rejected).toHaveLength(1)
  })

  test('a notification has nobody to tell but the host', async () => {
    const { outside, answers, rejected } = setUp(() => null)
    send(outside, { jsonrpc: '2.0', method: 'plugin:event|emit', params: { event: 'x' } })
    await turn()
    expect(answers).toEqual([])
    expect(rejected).toEqual(['plugin:event|emit: null'])
  })

  test('a call that is cancelled while it waits never goes on', async () => {
    let release = (): void => {}
    const { outside, sealed, answers } = setUp(message =>
      (message as { cmd: string }).cmd === 'slow'
        ? new Promise(resolve => (release = () => resolve(message)))
        : message,
    )
    send(outside, call(1, 'slow'), call(2))
    send(outside, { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } })
    await turn()
    release()
    await turn()
    expect(ids(sealed)).toEqual([2])
    expect(answers).toEqual([])
  })

  test('a message that is none is answered here', async () => {
    const { outside, sealed, answers } = setUp(() => expect.unreachable())
    send(outside, { jsonrpc: '2.0', id: 1, method: 5 })
    await turn()
    expect(answers).toMatchObject([{ id: 1, error: { code: -32600 } }])
    expect(sealed).toEqual([])
  })

  test.each([
    ['a record', FRAME_KIND.sealed, new Uint8Array(100)],
    ['no JSON', FRAME_KIND.json, '{'],
    ['an empty batch', FRAME_KIND.json, '[]'],
  ])('%s closes the gate', async (_name, kind, body) => {
    const { outside, answers, isClosed } = setUp(null)
    outside.send({ kind, body })
    await turn()
    expect(answers).toMatchObject([{ id: null }])
    expect(isClosed()).toBe(true)
  })
})

test('what passes and can’t be carried is no fault of a hook’s in the error’s words', async () => {
  const { outside, answers, rejected } = setUp(message => ({ ...(message as object), payload: { n: 1n } }))
  send(outside, call(1, 'big'))
  await expect.poll(() => answers.length).toBe(1)
  expect(answers[0].error.message).toBe('command "big" was rejected at the gate (it can’t be carried)')
  expect(rejected).toEqual(['big: malformed: it can’t be carried'])
})
