// The hooks here are functions of this realm. Sandboxed hooks are tested in app-thread.test.ts.
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createHook, type HookFunction, type HookMessage, type Verdict } from './hook.js'

const message = (changes: Partial<HookMessage> = {}): HookMessage => ({
  cmd: 'greet',
  callback: 1,
  error: 2,
  payload: { name: 'World' },
  options: undefined,
  ...changes,
})

const getVerdict = (verdict: Verdict): Verdict => verdict
const judge = (fn: HookFunction, shown = message()): Verdict => createHook(fn)(shown, getVerdict) as Verdict
const why = (verdict: Verdict): string => (verdict.kind === 'reject' ? verdict.why : 'passed')

describe('a synchronous hook', () => {
  test('sees the whole message, and passes the same object when it is unchanged', () => {
    const original = message({ options: { headers: { a: 'b' } } })
    let seen: unknown
    const verdict = judge(received => (seen = received), original)
    expect(seen).toEqual({ cmd: 'greet', callback: 1, error: 2, payload: { name: 'World' }, options: original.options })
    expect(verdict).toEqual({
      kind: 'pass',
      message: { cmd: 'greet', payload: original.payload, options: original.options },
    })
    expect(verdict.kind === 'pass' && verdict.message.payload).toBe(original.payload)
  })

  test('can change cmd, payload and options, in place or in a new object, but not the ids', () => {
    const changed = { cmd: 'other', payload: { n: 1 }, options: { headers: { x: 'y' } } }
    const expected = { kind: 'pass', message: changed }
    expect(judge(() => ({ ...changed, callback: 7, error: 8, more: 9 }))).toEqual(expected)
    expect(judge(shown => Object.assign(shown as object, changed))).toEqual(expected)
    expect(judge(() => ({ cmd: 'a' }))).toEqual({
      kind: 'pass',
      message: { cmd: 'a', payload: undefined, options: undefined },
    })
  })

  test('passes every message when it is null', () => {
    expect(createHook(null)(message(), getVerdict)).toMatchObject({ kind: 'pass', message: { cmd: 'greet' } })
  })

  test('rejects the message when it returns nothing', () =>
    rows([null, undefined])(value => expect(judge(() => value)).toEqual({ kind: 'reject', why: 'null' })))

  test('rejects the message when it throws, and the thrown value is not read', () => {
    let ran = 0
    const trap = (): never => {
      ran += 1
      throw new Error('read')
    }
    const thrown = new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap })
    expect(
      judge(() => {
        throw thrown
      }),
    ).toEqual({ kind: 'reject', why: 'threw' })
    expect(ran).toBe(0)
  })

  test('rejects the message when it returns something malformed', () =>
    rows([
      true,
      false,
      0,
      '',
      'greet',
      1n,
      Symbol.iterator,
      () => message(),
      [[]],
      {},
      { cmd: '' },
      { cmd: 1 },
      { cmd: new String('greet') },
      { cmd: '$/cancelRequest' },
      { cmd: 'a', options: 1 },
      { cmd: 'a', options: { headers: 'x' } },
      { cmd: 'a', options: { headers: { a: 1 } } },
      { cmd: 'a', options: { headers: ['x', 1] } },
      { cmd: 'a', options: { headers: { ['__proto__']: 'x' } } },
    ])(value => expect(why(judge(() => value))).toBe('malformed')))

  test('passes no options when they have no headers', () => {
    for (const options of [null, undefined, {}, { headers: null }]) {
      expect(judge(() => ({ cmd: 'a', payload: {}, options }))).toMatchObject({ message: { options: undefined } })
    }
  })

  test('has each member of its answer read once', () => {
    const throwing = {
      get cmd(): never {
        throw new Error('x')
      },
    }
    expect(judge(() => throwing)).toMatchObject({ why: 'malformed', detail: 'reading the answer threw' })
    let reads = 0
    const shifting = {
      get cmd() {
        return (reads += 1) === 1 ? 'greet' : 'evil'
      },
      options: {
        headers: {
          get a() {
            return (reads += 1) === 2 ? 'b' : { evil: true }
          },
        },
      },
    }
    const verdict = judge(() => shifting)
    expect(JSON.parse(JSON.stringify(verdict))).toMatchObject({
      message: { cmd: 'greet', options: { headers: { a: 'b' } } },
    })
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    expect(judge(() => revoked.proxy)).toMatchObject({ why: 'threw' })
  })
})

describe('an asynchronous hook', () => {
  const decide = (fn: HookFunction, deadline = 50): Promise<Verdict> =>
    Promise.resolve(createHook(fn, { deadline })(message(), getVerdict))

  test('can pass, change and reject a message', async () => {
    expect(await decide(async shown => shown)).toMatchObject({ kind: 'pass', message: { cmd: 'greet' } })
    expect(await decide(async () => ({ cmd: 'b' }))).toMatchObject({ kind: 'pass', message: { cmd: 'b' } })
    expect(await decide(async () => null)).toEqual({ kind: 'reject', why: 'null' })
    expect(await decide(async () => 1)).toMatchObject({ why: 'malformed' })
    expect(await decide(() => Promise.reject(new Proxy({}, { get: () => expect.fail() })))).toMatchObject({
      why: 'threw',
    })
  })

  test('rejects the message at its deadline, and late or second answers are not read', async () => {
    let late: ((value: unknown) => void) | undefined
    const verdict = await decide(() => new Promise(resolve => (late = resolve)), 5)
    expect(verdict).toEqual({ kind: 'reject', why: 'timeout' })
    late?.({
      get cmd() {
        return expect.fail()
      },
    })
    expect(
      await decide(() => ({
        then(resolve: (value: unknown) => void, reject: () => void) {
          resolve({ cmd: 'first' })
          resolve({ cmd: 'second' })
          reject()
        },
      })),
    ).toMatchObject({ message: { cmd: 'first' } })
  })

  test('has a deadline for each message', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const hook = createHook(() => new Promise(() => {}), { deadline: 20 })
    const verdicts: unknown[] = []
    const judge = (): unknown => Promise.resolve(hook(message(), getVerdict)).then(each => verdicts.push(why(each)))
    void judge()
    await vi.advanceTimersByTimeAsync(10)
    for (let more = 0; more < 2; more++) void judge()
    await vi.advanceTimersByTimeAsync(18)
    expect(verdicts).toEqual(['timeout'])
    await vi.advanceTimersByTimeAsync(10)
    expect(verdicts).toEqual(['timeout', 'timeout', 'timeout'])
  })

  test('can return a thenable, whose then is read once and can throw or never answer', async () => {
    let reads = 0
    const thenable = {
      get then() {
        reads += 1
        return (resolve: (value: unknown) => void) => resolve({ cmd: 'a' })
      },
    }
    expect(await decide(() => thenable)).toMatchObject({ kind: 'pass' })
    expect(reads).toBe(1)
    expect(
      judge(() => ({
        get then() {
          throw new Error('x')
        },
      })),
    ).toMatchObject({ why: 'threw' })
    expect(
      await decide(() => ({
        then() {
          throw new Error('x')
        },
      })),
    ).toMatchObject({ why: 'threw' })
    expect(await decide(() => ({ then() {} }), 5)).toMatchObject({ why: 'timeout' })
    expect(judge(() => ({ cmd: 'a', then: 'data' }))).toMatchObject({ kind: 'pass' })
  })
})
