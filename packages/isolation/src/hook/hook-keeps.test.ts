// A hook that keeps what it was shown or has given, and changes it later; and answers that change while they are read. What
// is sealed is what the hook gave at one moment, under the message's own id, and nothing of another message unless the hook
// put it there.
import { codecs, FRAME_KIND } from '@sallyport/protocol'
import { describe, expect, test } from 'vitest'
import { call, ids, send, setUp, turn } from '../../test/gate.js'
import { sandboxed } from '../../test/sandboxed.js'

const gate = (hook: string, before?: string) => setUp(sandboxed(hook, before).fn)
const params = (messages: any[]): unknown[] => messages.map(message => message.params)

describe('a kept payload', () => {
  test('that is changed at the next message does not change what was sealed', async () => {
    const { outside, sealed } = gate(
      'message => { for (const one of kept) one.payload.path = "/evil"; kept.push(message); return message }',
      'const kept = []',
    )
    send(outside, call(1, 'm', { path: '/1' }), call(2, 'm', { path: '/2' }))
    send(outside, call(3, 'm', { path: '/3' }))
    await turn()
    expect(params(sealed)).toEqual([{ path: '/1' }, { path: '/2' }, { path: '/3' }])
  })

  test('that is changed while it waits behind another does not change what is sealed', async () => {
    const { outside, sealed } = gate(
      `message => {
        kept.push(message)
        if (message.cmd === 'slow') return new Promise(resolve => (release = () => resolve(message)))
        if (message.cmd !== 'release') return message
        for (const { cmd, payload } of kept) if (cmd === 'm') payload.path = '/evil'
        release()
        return message
      }`,
      'const kept = []; let release',
    )
    send(outside, call(1, 'slow'), call(2, 'm', { path: '/2' }), call(3, 'release'))
    await turn()
    expect(ids(sealed)).toEqual([1, 2, 3])
    expect(sealed[1].params).toEqual({ path: '/2' })
  })

  test('goes into another message only where the hook puts it there', async () => {
    const { outside, sealed } = gate(
      `message => {
        const before = last
        last = message
        return message.cmd === 'mix' ? { ...message, payload: before.payload } : message
      }`,
      'let last',
    )
    send(outside, call(1, 'm', { secret: 1 }), call(2, 'm', { own: 2 }), call(3, 'mix', { own: 3 }), call(4, 'm'))
    await turn()
    expect(params(sealed)).toEqual([{ secret: 1 }, { own: 2 }, { own: 2 }, {}])
  })

  test('one object for all messages: each is sealed as it was when it was given', async () => {
    const { outside, sealed } = gate(
      'message => { one.cmd = message.cmd; one.payload.n = message.payload.n; return one }',
      'const one = { payload: {} }',
    )
    send(outside, call(1, 'a', { n: 1 }), call(2, 'b', { n: 2 }), call(3, 'c', { n: 3 }))
    await turn()
    expect(sealed).toEqual([call(1, 'a', { n: 1 }), call(2, 'b', { n: 2 }), call(3, 'c', { n: 3 })])
  })

  test.each([
    ['a thenable, in the same breath', '{ then(resolve) { resolve(message); change() } }'],
    ['a promise, a microtask later', '(Promise.resolve().then(() => {}).then(change), Promise.resolve(message))'],
  ])('that is changed once it was the answer of %s is sealed as it was', async (_what, answer) => {
    for (const data of [{}, { bytes: new Uint8Array(70_000).fill(1) }]) {
      const { outside, sealed, rejected } = gate(`message => {
        const change = () => {
          message.cmd = '$/cancelRequest'
          message.payload.path = '/evil'
          message.payload.toJSON = () => 'text'
          message.payload.bytes?.fill(2)
        }
        return ${answer}
      }`)
      const body = codecs.msgpack.encode(call(1, 'm', { path: '/1', ...data })) as Uint8Array
      outside.send({ kind: FRAME_KIND.msgpack, body })
      await turn()
      expect(sealed).toEqual([call(1, 'm', { path: '/1', ...data })])
      expect(rejected).toEqual([])
    }
  })

  test('an answer that overflows the stack where it is given is none', async () => {
    const { outside, sealed, rejected } = gate(`message => ({
      then(resolve) {
        if (message.cmd === 'next') return resolve(message)
        const deeper = () => {
          try { deeper() } catch { resolve(message) }
        }
        deeper()
      },
    })`)
    send(outside, call(1), call(2, 'next'))
    await turn()
    expect([...ids(sealed), ...rejected]).toContainEqual(2)
    expect(sealed.length + rejected.length).toBe(2)
  })
})

describe('an answer that changes while it is read', () => {
  test.each<[what: string, answer: string, method: unknown]>([
    ['a cmd with toString', '{ cmd: { toString: () => "evil" }, payload: {} }', undefined],
    ['a boxed cmd', '{ cmd: new String("evil"), payload: {} }', undefined],
    [
      'a cmd that is another the second time',
      '(() => { let n = 0; return { get cmd() { return n++ ? "$/x" : "ok" } } })()',
      'ok',
    ],
    ['a proxy', 'new Proxy({ cmd: "ok", payload: {} }, {})', 'ok'],
    ['a proxy that has everything', 'new Proxy({}, { get: (_, key) => (key === "then" ? 1 : () => {}) })', undefined],
    ['an inherited cmd', 'Object.create({ cmd: "ok" })', 'ok'],
    ['options that throw', '{ cmd: "ok", get options() { throw 1 } }', undefined],
    ['headers that throw', '{ cmd: "ok", options: { headers: { get a() { throw 1 } } } }', undefined],
    ['headers with toString', '{ cmd: "ok", options: { headers: { a: { toString: () => "x" } } } }', undefined],
    ['headers that are a Map', '{ cmd: "ok", options: { headers: new Map([["a", 1]]) } }', 'ok'],
    [
      'headers by a proxy',
      '{ cmd: "ok", options: { headers: new Proxy({}, { ownKeys: () => { throw 1 } }) } }',
      undefined,
    ],
  ])('%s', async (_what, answer, method) => {
    const { outside, sealed, rejected, isClosed } = gate(`message => (message.cmd === 'next' ? message : ${answer})`)
    send(outside, call(1), call(2, 'next'))
    await turn()
    expect(sealed.map(message => message.method)).toEqual(method === undefined ? ['next'] : [method, 'next'])
    expect(rejected).toHaveLength(method === undefined ? 1 : 0)
    expect(isClosed()).toBe(false)
  })

  test('headers: a getter’s one value is checked and sent', async () => {
    const { outside, sealed } = gate(
      'message => ({ ...message, options: { headers: { get a() { return n++ ? { evil: 1 } : "x" } } } })',
      'let n = 0',
    )
    send(outside, call(1))
    await turn()
    expect(sealed[0].headers).toEqual({ a: 'x' })
  })
})
