// Events that share a message from the frontend to the gate, and again from there to core. The hook sees each of them.
import { codecs } from '@sallyport/protocol/internal/codec'
import { METHOD, NODE_METHOD } from '@sallyport/protocol/internal/message'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { call, send, setUp, settled } from '../../test/gate.js'

type Shown = { cmd: string; payload: { event: string; payload: any }; options: unknown }

const several = (event: string, payloads: readonly unknown[]) => ({
  jsonrpc: '2.0' as const,
  method: NODE_METHOD.emitAll,
  params: { event, payloads },
})
const single = (event: string, payload: unknown, more: object = {}) => ({
  jsonrpc: '2.0' as const,
  method: METHOD.emit,
  params: { event, payload, ...more },
})
const numbers = Array.from({ length: 7 }, (_, index) => index)

/** Sends seven events at once. Returns what the hook was shown, what core gets, and what was reported. */
async function pass(hook: (message: Shown) => unknown, payloads: readonly unknown[] = numbers) {
  const shown: unknown[] = []
  const gate = setUp(message => {
    shown.push(structuredClone((message as Shown).payload.payload))
    return hook(message as Shown)
  })
  send(gate.frontendLink, several('e', payloads))
  await settled()
  return { ...gate, shown }
}

const at = (message: Shown): number => message.payload.payload as number

describe('the hook of several events', () => {
  test('sees each, and all that pass are sealed in order', async () => {
    const { shown, sealed, records } = await pass(message => message)
    expect(shown).toEqual(numbers)
    expect(sealed).toEqual(numbers.map(n => single('e', n)))
    expect(records).toEqual([7])
  })

  test('drops and reports one alone when it does not pass it', () =>
    rows<[what: string, judge: (message: Shown) => unknown, why: string]>([
      ['returns null', () => null, 'it returned null'],
      [
        'throws',
        () => {
          throw new Error('no')
        },
        'threw',
      ],
      ['rejects a promise', () => Promise.reject(new Error('no')), 'threw'],
      ['returns a string', () => 'x', 'malformed'],
      [
        'returns a payload that cannot be serialized',
        m => ({ ...m, payload: { event: 'e', payload: 1n } }),
        'malformed',
      ],
      [
        'returns a key that is refused',
        m => ({ ...m, payload: { event: 'e', payload: JSON.parse('{"__proto__":1}') as unknown } }),
        'malformed',
      ],
      [
        'calls a command of the bus',
        m => ({ ...m, cmd: NODE_METHOD.emitAll, payload: { event: 'e', payloads: [1] } }),
        'malformed',
      ],
    ])(async (_what, judge) => {
      const { sealed, rejected } = await pass(message => (at(message) === 3 ? judge(message) : message))
      expect(sealed).toEqual([0, 1, 2, 4, 5, 6].map(n => single('e', n)))
      expect(rejected).toHaveLength(1)
      expect(rejected[0]).toMatch(/^(?:plugin:event\|emit): /)
    }))

  test('can change one', () =>
    rows<[what: string, change: (message: Shown) => unknown, third: unknown]>([
      ['payload', m => ({ ...m, payload: { event: 'e', payload: 'new' } }), single('e', 'new')],
      ['name', m => ({ ...m, payload: { event: 'other', payload: 1 } }), single('other', 1)],
      [
        'name, to a long one',
        m => ({ ...m, payload: { event: 'o'.repeat(300), payload: 1 } }),
        single('o'.repeat(300), 1),
      ],
      ['name, to a number', m => ({ ...m, payload: { event: 7, payload: 1 } }), single(7 as never, 1)],
      ['members', m => ({ ...m, payload: { ...m.payload, more: 2 } }), single('e', 3, { more: 2 })],
      ['members, in another order', m => ({ ...m, payload: { payload: 1, event: 'e' } }), single('e', 1)],
      ['headers', m => ({ ...m, options: { headers: { a: 'b' } } }), { ...single('e', 3), headers: { a: 'b' } }],
      [
        'command',
        m => ({ ...m, cmd: 'other', payload: { n: 1 } }),
        { jsonrpc: '2.0', method: 'other', params: { n: 1 } },
      ],
      [
        'payload, to none',
        m => ({ ...m, payload: { event: 'e', payload: undefined } }),
        { jsonrpc: '2.0', method: METHOD.emit, params: { event: 'e' } },
      ],
      [
        'params, to their JSON',
        m => ({ ...m, payload: { ...m.payload, toJSON: () => ({ event: 'e', payload: 'j' }) } }),
        single('e', 'j'),
      ],
      [
        'params, to those of a class',
        m => {
          class Params {
            event = 'e'
            payload = 'c'
            toJSON() {
              return { event: 'e', payload: 'j' }
            }
          }
          return { ...m, payload: new Params() }
        },
        single('e', 'j'),
      ],
      [
        'payload, to bytes',
        m => ({ ...m, payload: { event: 'e', payload: { b: Uint8Array.of(1) } } }),
        single('e', { b: Buffer.of(1) }),
      ],
      [
        'payload, to a large one',
        m => ({ ...m, payload: { event: 'e', payload: 'x'.repeat(40_000) } }),
        single('e', 'x'.repeat(40_000)),
      ],
    ])(async (_what, change, third) => {
      const { sealed, rejected } = await pass(message => (at(message) === 3 ? change(message) : message))
      expect(rejected).toEqual([])
      const normalized = sealed.map(message => {
        const bytes = message.params.payload?.b as Uint8Array | undefined
        return bytes ? single('e', { b: Buffer.from(bytes) }) : message
      })
      expect(normalized).toEqual(
        [0, 1, 2]
          .map(n => single('e', n))
          .concat(
            [third as never],
            [4, 5, 6].map(n => single('e', n)),
          ),
      )
    }))

  test('cannot change those that have passed before', async () => {
    const held: { n: number }[] = []
    const { sealed } = await pass(
      message => {
        held.push(message.payload.payload as { n: number })
        for (const payload of held.slice(0, -1)) payload.n = 99
        return message
      },
      numbers.map(n => ({ n })),
    )
    expect(sealed).toEqual(numbers.map(n => single('e', { n })))
  })

  test('reads each payload of a getter once', async () => {
    let reads = 0
    const { sealed } = await pass(message => ({
      ...message,
      payload: {
        event: 'e',
        get payload() {
          return ++reads
        },
      },
    }))
    expect(sealed).toEqual(numbers.map(n => single('e', n + 1)))
  })

  test('keeps their order when it is slow for one in the middle', async () => {
    let release = (): void => {}
    const { sealed } = await pass(message =>
      at(message) === 3 ? new Promise(resolve => (release = () => resolve(message))) : message,
    )
    expect(sealed.map(({ params }) => params.payload as number)).toEqual([0, 1, 2])
    release()
    await expect.poll(() => sealed.length).toBe(7)
    expect(sealed).toEqual(numbers.map(n => single('e', n)))
  })
})

test('events keep their place among calls and other events', async () => {
  const { frontendLink, sealed, records } = setUp(message => message)
  const messages = [several('a', [1, 2]), call(1), several('a', [3]), several('b', [4, 5]), call(2), single('b', 6)]
  send(frontendLink, ...messages)
  await settled()
  expect(sealed).toEqual([
    ...[1, 2].map(n => single('a', n)),
    call(1),
    single('a', 3),
    ...[4, 5].map(n => single('b', n)),
    call(2),
    single('b', 6),
  ])
  expect(records).toEqual([8])
})

test('many events become several records of complete events', async () => {
  const { frontendLink, sealed, records } = setUp(message => message)
  const payloads = Array.from({ length: 1000 }, (_, index) => index)
  send(frontendLink, several('e', payloads))
  await settled()
  expect(sealed).toEqual(payloads.map(n => single('e', n)))
  expect(records.reduce((sum, count) => sum + count)).toBe(1000)
  expect(Math.max(...records)).toBeLessThanOrEqual(64)
})

test('more events than a batch can have messages close the gate, and none is shown', async () => {
  const shown: unknown[] = []
  const { frontendLink, sealed, responses, isClosed } = setUp(message => shown.push(message))
  send(
    frontendLink,
    several(
      'e',
      Array.from({ length: 65_537 }, () => 0),
    ),
  )
  await settled()
  expect([shown, sealed]).toEqual([[], []])
  expect(responses).toMatchObject([{ id: null, error: { code: -32600 } }])
  expect(isClosed()).toBe(true)
})

test('a forged notification of events is never taken apart by core', async () => {
  const shown: unknown[] = []
  const { frontendLink, sealed } = setUp(message => shown.push(message))
  const forged = [
    { ...several('e', [1]), id: 1 },
    several('e'.repeat(257), [1]),
    { ...several('e', []), params: { event: 'e', payloads: { length: 1 } } },
  ]
  send(frontendLink, ...forged)
  frontendLink.send({ kind: FRAME_KIND.msgpack, body: codecs.msgpack.encode(several('e', [1])) as Uint8Array })
  await settled()
  expect(shown).toEqual([])
  expect(sealed, 'core refuses the method').toEqual([...forged, several('e', [1])])
})
