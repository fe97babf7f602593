// Hooks that keep messages or answers and change them later, and answers that change while they are read. A message is sealed as the
// hook returned it at one moment, with its own id.
import { encodeInline } from '@sallyport/protocol/internal/codec'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { call, ids, send, setUp, settled } from '../../test/gate.js'
import { sandboxed } from '../../test/sandboxed.js'

const gate = (hook: string, before?: string) => setUp(sandboxed(hook, before).fn)
const params = (messages: any[]): unknown[] => messages.map(message => message.params)

describe('a kept payload', () => {
  test('is sealed as it was when the hook changes it at the next message', async () => {
    const { frontendLink, sealed } = gate(
      'message => { for (const earlier of kept) earlier.payload.path = "/evil"; kept.push(message); return message }',
      'const kept = []',
    )
    send(frontendLink, call(1, 'm', { path: '/1' }), call(2, 'm', { path: '/2' }))
    send(frontendLink, call(3, 'm', { path: '/3' }))
    await settled()
    expect(params(sealed)).toEqual([{ path: '/1' }, { path: '/2' }, { path: '/3' }])
  })

  test('is sealed as it was when the hook changes it while it waits behind another message', async () => {
    const { frontendLink, sealed } = gate(
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
    send(frontendLink, call(1, 'slow'), call(2, 'm', { path: '/2' }), call(3, 'release'))
    await settled()
    expect(ids(sealed)).toEqual([1, 2, 3])
    expect(sealed[1].params).toEqual({ path: '/2' })
  })

  test('is only in another message when the hook puts it there', async () => {
    const { frontendLink, sealed } = gate(
      `message => {
        const before = last
        last = message
        return message.cmd === 'mix' ? { ...message, payload: before.payload } : message
      }`,
      'let last',
    )
    send(frontendLink, call(1, 'm', { secret: 1 }), call(2, 'm', { n: 2 }), call(3, 'mix', { n: 3 }), call(4, 'm'))
    await settled()
    expect(params(sealed)).toEqual([{ secret: 1 }, { n: 2 }, { n: 2 }, {}])
  })

  test('is sealed as it was for each message when the hook returns one object for all', async () => {
    const { frontendLink, sealed } = gate(
      'message => { shared.cmd = message.cmd; shared.payload.n = message.payload.n; return shared }',
      'const shared = { payload: {} }',
    )
    send(frontendLink, call(1, 'a', { n: 1 }), call(2, 'b', { n: 2 }), call(3, 'c', { n: 3 }))
    await settled()
    expect(sealed).toEqual([call(1, 'a', { n: 1 }), call(2, 'b', { n: 2 }), call(3, 'c', { n: 3 })])
  })

  test('is sealed as it was when it is changed later', () =>
    rows([
      ['after a thenable has resolved, synchronously', '{ then(resolve) { resolve(message); change() } }'],
      [
        'after a promise has resolved, a microtask later',
        '(Promise.resolve().then(() => {}).then(change), Promise.resolve(message))',
      ],
    ])(async (_what, answer) => {
      for (const data of [{}, { bytes: new Uint8Array(70_000).fill(1) }]) {
        const { frontendLink, sealed, rejected } = gate(`message => {
        const change = () => {
          message.cmd = '$/cancelRequest'
          message.payload.path = '/evil'
          message.payload.toJSON = () => 'text'
          message.payload.bytes?.fill(2)
        }
        return ${answer}
      }`)
        const body = encodeInline(call(1, 'm', { path: '/1', ...data }))
        frontendLink.send({ kind: FRAME_KIND.msgpack, body })
        await settled()
        expect(sealed).toEqual([call(1, 'm', { path: '/1', ...data })])
        expect(rejected).toEqual([])
      }
    }))

  test('counts at most once when its thenable overflows the stack', async () => {
    const { frontendLink, sealed, rejected } = gate(`message => ({
      then(resolve) {
        if (message.cmd === 'next') return resolve(message)
        const deeper = () => {
          try { deeper() } catch { resolve(message) }
        }
        deeper()
      },
    })`)
    send(frontendLink, call(1), call(2, 'next'))
    await settled()
    expect([...ids(sealed), ...rejected]).toContainEqual(2)
    expect(sealed.length + rejected.length).toBe(2)
  })
})

describe('an answer that changes while it is read', () => {
  test('passes or is rejected as a whole', () =>
    rows<[what: string, answer: string, method: unknown]>([
      ['a cmd with toString', '{ cmd: { toString: () => "evil" }, payload: {} }', undefined],
      ['a boxed cmd', '{ cmd: new String("evil"), payload: {} }', undefined],
      [
        'a cmd that changes after the first read',
        '(() => { let n = 0; return { get cmd() { return n++ ? "$/x" : "ok" } } })()',
        'ok',
      ],
      ['a proxy', 'new Proxy({ cmd: "ok", payload: {} }, {})', 'ok'],
      [
        'a proxy that has every member',
        'new Proxy({}, { get: (_, key) => (key === "then" ? 1 : () => {}) })',
        undefined,
      ],
      ['an inherited cmd', 'Object.create({ cmd: "ok" })', 'ok'],
      ['options that throw', '{ cmd: "ok", get options() { throw 1 } }', undefined],
      ['headers that throw', '{ cmd: "ok", options: { headers: { get a() { throw 1 } } } }', undefined],
      ['headers with toString', '{ cmd: "ok", options: { headers: { a: { toString: () => "x" } } } }', undefined],
      ['headers that are a Map', '{ cmd: "ok", options: { headers: new Map([["a", 1]]) } }', 'ok'],
      [
        'headers that are a proxy',
        '{ cmd: "ok", options: { headers: new Proxy({}, { ownKeys: () => { throw 1 } }) } }',
        undefined,
      ],
    ])(async (_what, answer, method) => {
      const { frontendLink, sealed, rejected, isClosed } = gate(
        `message => (message.cmd === 'next' ? message : ${answer})`,
      )
      send(frontendLink, call(1), call(2, 'next'))
      await settled()
      expect(sealed.map(message => message.method)).toEqual(method === undefined ? ['next'] : [method, 'next'])
      expect(rejected).toHaveLength(method === undefined ? 1 : 0)
      expect(isClosed()).toBe(false)
    }))

  test('is checked and sealed with the same value of a header that is a getter', async () => {
    const { frontendLink, sealed } = gate(
      'message => ({ ...message, options: { headers: { get a() { return n++ ? { evil: 1 } : "x" } } } })',
      'let n = 0',
    )
    send(frontendLink, call(1))
    await settled()
    expect(sealed[0].headers).toEqual({ a: 'x' })
  })
})
