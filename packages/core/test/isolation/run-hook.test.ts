// runHook sends one message through one hook, in a real gate.
import { describe, expect, test } from 'vitest'
import type { HookInput } from '@sallyport/core/internal'
import { runHook } from '@sallyport/core/testing'
import { fixture } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const judge = fixture('isolation/hooks/judge/')
/** The shortest time for a hook. This one never returns. */
const LEAST_MS = 10
const wish = (hook: string, more: object = {}): HookInput => ({ cmd: 'echo', payload: { hook, ...more } })

describe('runHook', () => {
  test('returns a message that passes as core would get it', async () => {
    const message = { cmd: 'echo', payload: { a: 1 }, options: { headers: { trace: 'x' } } }
    expect(await runHook(judge, message)).toStrictEqual({ passed: true, message })
    expect(await runHook(judge, { cmd: 'plugin:event|emit', payload: { event: 'x' } })).toStrictEqual({
      passed: true,
      message: { cmd: 'plugin:event|emit', payload: { event: 'x' }, options: undefined },
    })
  })

  test('returns a message that the hook has changed', async () => {
    expect(await runHook(judge, wish('change'))).toMatchObject({ message: { payload: { a: 40, hook: 'changed' } } })
    expect(await runHook(judge, wish('other-command'))).toMatchObject({
      message: { cmd: 'add', payload: { a: 1, b: 1 } },
    })
    expect(await runHook(judge, wish('later'))).toMatchObject({ passed: true })
    const bytes = await runHook(judge, wish('bytes'))
    expect(bytes).toMatchObject({ passed: true, message: { payload: new Uint8Array([1, 2, 3]) } })
    expect(await runHook(judge, { cmd: 'put', payload: new Uint8Array([4]) })).toMatchObject({
      message: { cmd: 'put', payload: new Uint8Array([4]) },
    })
  })

  test('returns the rejection and its reason', () =>
    rows([
      ['null', 'null'],
      ['undefined', 'null'],
      ['throw', 'threw'],
      ['nonsense', 'malformed'],
    ])(async (hook, why) => {
      expect(await runHook(judge, wish(hook))).toStrictEqual({ passed: false, why })
    }))

  test('passes requests of the hook to onConfirm, and answers false without it', async () => {
    const requests: unknown[] = []
    const onConfirm = (...args: unknown[]): boolean => requests.push(args) === 1
    const question = wish('confirm', { question: 'Really?' })
    expect(await runHook(judge, question, { onConfirm })).toMatchObject({ message: { payload: { answer: true } } })
    expect(await runHook(judge, question)).toMatchObject({ message: { payload: { answer: false } } })
    expect(requests).toEqual([['Really?', { label: 'test' }]])
  })

  test('returns an error if the app is missing, cannot be loaded, or times out', async () => {
    const { href } = fixture('isolation/hooks/')
    await expect(runHook(`${href}jugde/`, wish(''))).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(runHook(fixture('isolation/hooks/no-such/'), wish(''))).rejects.toThrow(
      /^runHook: dir: there is no file/,
    )
    await expect(runHook(fixture('isolation/hooks/throws-at-load/'), wish(''))).rejects.toMatchObject({
      name: 'BusError',
    })
    await expect(
      runHook(fixture('isolation/hooks/stuck/'), wish('spin'), { hookTimeout: LEAST_MS }),
    ).rejects.toMatchObject({
      reason: 'Timeout',
    })
    await expect(runHook(judge, { cmd: '$/cancelRequest' })).rejects.toMatchObject({ name: 'BusError' })
    await expect(runHook(judge, { cmd: 5 } as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(runHook(judge, undefined as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(runHook(judge, wish(''), null as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
    const misspelt = { legacyMesages: true } as object
    await expect(runHook(judge, wish(''), misspelt)).rejects.toThrow(
      'unknown option "legacyMesages" (did you mean "legacyMessages"?)',
    )
  })
})
