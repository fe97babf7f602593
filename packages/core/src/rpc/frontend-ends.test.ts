import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { FrontendCalls } from './frontend-calls.js'
import { FrontendEnds } from './frontend-ends.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const getMessage = (error: Error): string => error.message

/** Returns the error text of a call that its frontend has not answered, once `ends` has rejected it. */
function startCall(ends: FrontendEnds): Promise<unknown> {
  const writer = { request: () => {}, send: () => {}, error: (_id: unknown, _method: string, error: never) => error }
  const calls = new FrontendCalls({ label: 'main', codec: 'json' }, writer, new Float64Array(16), () => {})
  const call = calls.call('f', {}).catch(getMessage)
  calls.disconnect()
  void ends.rejectOnceExplained('main', calls)
  return call
}

async function getLaterError(ends: FrontendEnds): Promise<string> {
  await ends.explained('main')
  return ends.createError('main', ['mail']).message
}

test('a call waits for the reason, which later calls get too, until the label is used again', async () => {
  const ends = new FrontendEnds()
  const calls = [startCall(ends), getLaterError(ends)]
  ends.explain('main', { why: 'it left', error: undefined })
  expect(await Promise.all(calls)).toEqual([
    'The frontend "main" disconnected: it left',
    'There is no frontend "main": it left',
  ])
  expect(await getLaterError(ends)).toBe('There is no frontend "main": it left')
  ends.begin('main')
  expect(await getLaterError(ends)).toBe('There is no frontend "main" (did you mean "mail"?)')
  expect(vi.getTimerCount()).toBe(0)
})

test('a later call says that the frontend restarts, until it is known that it does not', async () => {
  const ends = new FrontendEnds()
  const restarting = 'The frontend "main" is restarting, call it again later'
  ends.explain('main', undefined, true)
  expect(await getLaterError(ends)).toBe(restarting)
  ends.explain('main', { why: 'it left', error: undefined }, true)
  expect(await getLaterError(ends)).toBe(`${restarting}: it left`)
  ends.explain('main', undefined)
  expect(await getLaterError(ends)).toBe('There is no frontend "main" (did you mean "mail"?)')
})

test('a call is rejected without a reason when none is known in time', () =>
  rows([
    ['the host ends the frontend', (ends: FrontendEnds) => ends.explain('main', undefined)],
    ['the label is used again', (ends: FrontendEnds) => ends.begin('main')],
    ['core closes', (ends: FrontendEnds) => ends.close()],
    ['the host does not explain it', () => vi.advanceTimersByTime(2000)],
  ])(async (_name, act) => {
    const ends = new FrontendEnds()
    const call = startCall(ends)
    act(ends)
    expect(await call).toBe('The frontend "main" disconnected')
    expect(vi.getTimerCount()).toBe(0)
  }))

test('a thousand reasons are remembered', () => {
  const ends = new FrontendEnds()
  for (let i = 0; i < 1001; i++) ends.explain(`f${i}`, { why: 'it left', error: undefined })
  expect(ends.createError('f0', []).message).toBe('There is no frontend "f0"')
  expect(ends.createError('f1', []).message).toBe('There is no frontend "f1": it left')
})

test('a reason that arrived while core was busy is in the error, although the wait for it is over', async () => {
  const ends = new FrontendEnds()
  const call = startCall(ends)
  vi.advanceTimersByTime(2000)
  ends.explain('main', { why: 'it ran out of memory', error: undefined })
  expect(await call).toBe('The frontend "main" disconnected: it ran out of memory')
})
