import { createHistogram } from 'node:perf_hooks'
import { SamplingTimer } from '@sallyport/protocol/internal/util'
import { codecs } from '@sallyport/protocol/internal/codec'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { describe, expect, test, it, onTestFinished, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { call, ids, send, setUp, settled } from '../../test/gate.js'
import type { HookFunction } from '../hook/hook.js'

describe('a message that passes', () => {
  test('is sealed unchanged, in its own codec', async () => {
    const { frontendLink, sealed } = setUp(null)
    const first = { ...call(1, 'greet', { name: 'x' }), headers: { a: 'b' } }
    send(frontendLink, first, call(2))
    const bytes = call(3, 'body', { data: new Uint8Array([1]) })
    frontendLink.send({ kind: FRAME_KIND.msgpack, body: codecs.msgpack.encode(bytes) as Uint8Array })
    await settled()
    expect(sealed).toEqual([first, call(2), bytes])
  })

  test('shares a record with those of other short frames; a medium frame becomes two records, and a long frame one', async () => {
    const { frontendLink, sealed, records } = setUp(null)
    const calls = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => call(from + at))
    for (const message of calls(1, 40)) send(frontendLink, message)
    await settled()
    expect(records).toEqual([32, 8])
    send(frontendLink, ...calls(41, 140))
    await settled()
    expect(records.slice(2)).toEqual([50, 50])
    send(frontendLink, ...calls(141, 400))
    await settled()
    expect(records.slice(4)).toEqual([260])
    expect(ids(sealed)).toEqual(ids(calls(1, 400)))
  })

  test('is shown to the hook individually if it is one of several events', async () => {
    const shown: unknown[] = []
    const { frontendLink, sealed } = setUp(message => {
      const { payload } = message as { payload: { payload: number } }
      shown.push(payload)
      return payload.payload === 2 ? Promise.reject(new Error('no')) : message
    })
    send(frontendLink, { jsonrpc: '2.0', method: '$/emit', params: { event: 'e', payloads: [1, 2, 3] } })
    await settled()
    expect(shown).toEqual([1, 2, 3].map(payload => ({ event: 'e', payload })))
    expect(sealed).toEqual(
      [1, 3].map(payload => ({ jsonrpc: '2.0', method: 'plugin:event|emit', params: { event: 'e', payload } })),
    )
  })

  test('is sealed even if an invalid frame follows', async () => {
    const { frontendLink, sealed, isClosed } = setUp(null)
    send(frontendLink, call(1))
    frontendLink.send({ kind: FRAME_KIND.json, body: '{' })
    await settled()
    expect(ids(sealed)).toEqual([1])
    expect(isClosed()).toBe(true)
  })

  test('keeps its id, or stays a notification, when the hook changes it', async () => {
    const { frontendLink, sealed } = setUp(() => ({ cmd: 'other', callback: 99, error: 98, payload: { n: 1 }, id: 97 }))
    send(frontendLink, call(1), { jsonrpc: '2.0', method: 'm', params: {} })
    await settled()
    expect(sealed).toEqual([
      { jsonrpc: '2.0', id: 1, method: 'other', params: { n: 1 } },
      { jsonrpc: '2.0', method: 'other', params: { n: 1 } },
    ])
  })

  test('keeps its order behind a message whose hook is slow', async () => {
    let release = (): void => {}
    const { frontendLink, sealed } = setUp(message =>
      (message as { cmd: string }).cmd === 'slow'
        ? new Promise(resolve => (release = () => resolve(message)))
        : message,
    )
    send(frontendLink, call(1), call(2, 'slow'), call(3))
    send(frontendLink, call(4))
    await settled()
    expect(ids(sealed)).toEqual([1])
    release()
    await settled()
    expect(ids(sealed)).toEqual([1, 2, 3, 4])
  })

  test('is decided before the gate has ended, also behind another one, when the frontend ends', async () => {
    const decide: (() => void)[] = []
    const hook: HookFunction = message => new Promise(resolve => decide.push(() => resolve(message)))
    const { frontendLink, hasEnded } = setUp(hook)
    send(frontendLink, call(1), call(2))
    await settled()
    frontendLink.close()
    decide[0]!()
    await settled()
    expect(hasEnded()).toBe(false)
    decide[1]!()
    await settled()
    expect(hasEnded()).toBe(true)
  })

  test('is not shown to the hook and overtakes waiting messages when it is a protocol notification', async () => {
    const shown: string[] = []
    const { frontendLink, sealed } = setUp(message => {
      shown.push((message as { cmd: string }).cmd)
      return new Promise(() => {})
    })
    const credit = { jsonrpc: '2.0', method: '$/credit', params: { channel: 1, bytes: 2 } }
    send(frontendLink, call(1), credit)
    await settled()
    expect(shown).toEqual(['m'])
    expect(sealed).toEqual([credit])
  })
})

test('the end of a channel does not overtake an earlier call, which can be the one that opens the channel', async () => {
  let release = (): void => {}
  const { frontendLink, sealed } = setUp(message => new Promise(resolve => (release = () => resolve(message))))
  const close = { jsonrpc: '2.0', method: '$/closeChannel', params: { channel: 1 } }
  send(frontendLink, close, call(1), close)
  await settled()
  expect(sealed).toEqual([close])
  release()
  await settled()
  expect(sealed).toEqual([close, call(1), close])
})

describe('a message that does not pass', () => {
  test('is rejected, and the next message passes, whatever the hook returns or throws', () =>
    rows<[string, HookFunction]>([
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
      ['a payload that cannot be serialized', message => ({ ...(message as object), payload: { n: 1n } })],
      ['a method of the protocol', message => ({ ...(message as object), cmd: '$/cancelRequest' })],
      ['a promise that never settles', () => new Promise(() => {})],
      ['a promise that rejects', () => Promise.reject(new Error('no'))],
      [
        'a thenable that throws',
        () => ({
          then() {
            throw new Error('no')
          },
        }),
      ],
    ])(async (_name, hook) => {
      const { frontendLink, sealed, responses, rejected } = setUp(
        message => ((message as { cmd: string }).cmd === 'good' ? message : hook(message)),
        50,
      )
      send(frontendLink, call(1, 'bad'), call(2, 'good'))
      await expect.poll(() => sealed.length).toBe(1)
      await settled()
      expect(responses).toMatchObject([
        { id: 1, error: { code: -32002, message: expect.stringMatching(/^command "bad" was rejected/) } },
      ])
      expect(ids(sealed)).toEqual([2])
      expect(rejected).toHaveLength(1)
    }))

  test('is only reported to the host when it is a notification', async () => {
    const { frontendLink, responses, rejected } = setUp(() => null)
    send(frontendLink, { jsonrpc: '2.0', method: 'plugin:event|emit', params: { event: 'x' } })
    await settled()
    expect(responses).toEqual([])
    expect(rejected).toEqual(['plugin:event|emit: null'])
  })

  test('is dropped when it is cancelled while its hook is slow', async () => {
    let release = (): void => {}
    const { frontendLink, sealed, responses } = setUp(message =>
      (message as { cmd: string }).cmd === 'slow'
        ? new Promise(resolve => (release = () => resolve(message)))
        : message,
    )
    send(frontendLink, call(1, 'slow'), call(2))
    send(frontendLink, { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } })
    await settled()
    release()
    await settled()
    expect(ids(sealed)).toEqual([2])
    expect(responses).toEqual([])
  })

  test('is answered by the gate when it is malformed', async () => {
    const { frontendLink, sealed, responses } = setUp(() => expect.unreachable())
    send(frontendLink, { jsonrpc: '2.0', id: 1, method: 5 })
    await settled()
    expect(responses).toMatchObject([{ id: 1, error: { code: -32600 } }])
    expect(sealed).toEqual([])
  })

  test('closes the gate when the frame contains none', () =>
    rows([
      ['a record', FRAME_KIND.sealed, new Uint8Array(100)],
      ['invalid JSON', FRAME_KIND.json, '{'],
      ['an empty batch', FRAME_KIND.json, '[]'],
    ])(async (_name, kind, body) => {
      const { frontendLink, responses, isClosed } = setUp(null)
      frontendLink.send({ kind, body })
      await settled()
      expect(responses).toMatchObject([{ id: null }])
      expect(isClosed()).toBe(true)
    }))
})

test('the error does not blame the hook when a message that it has passed cannot be serialized', async () => {
  const { frontendLink, responses, rejected } = setUp(message => ({ ...(message as object), payload: { n: 1n } }))
  send(frontendLink, call(1, 'big'))
  await expect.poll(() => responses.length).toBe(1)
  expect(responses[0].error.message).toBe('command "big" was rejected at the gate (it cannot be serialized)')
  expect(rejected).toEqual(['big: malformed: it cannot be serialized'])
})

describe('times', () => {
  /** Sends one call through a gate. Returns the durations of the hook and of sealing. */
  async function measure(hook: HookFunction) {
    const create = () => createHistogram({ lowest: 64, highest: 3.6e12, figures: 2 })
    const times = { hook: create(), seal: create() }
    const timers = { hook: new SamplingTimer(() => times.hook), seal: new SamplingTimer(() => times.seal) }
    const { frontendLink, records } = setUp(hook, undefined, timers)
    send(frontendLink, call(1))
    await expect.poll(() => records.length).toBe(1)
    return times
  }

  it('measures a synchronous hook, and each record', async () => {
    const times = await measure(message => message)
    expect([times.hook.count, times.seal.count]).toEqual([1, 1])
  })

  it('measures an asynchronous hook until its verdict', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    // A start at 0 is no start.
    vi.advanceTimersByTime(1)
    const times = await measure(async () => {
      await new Promise(setImmediate)
      vi.advanceTimersByTime(20)
      return null
    })
    expect([times.hook.count, times.seal.count]).toEqual([1, 1])
    expect(times.hook.max).toBeGreaterThan(15e6)
  })
})
