// What the tests of faults rely on: a bus that breaks its promise is found out.
import { describe, expect, test } from 'vitest'
import { BusError } from '../../src/index.js'
import { checkPromise, type Expected, type Watched } from './promise.js'

const error = new BusError('Disconnected', 'gone')
/** Rejects before its test begins: nobody has to have caught it by then. */
const rejected = (reason: Error): Promise<unknown> => {
  const call = Promise.reject(reason)
  call.catch(() => {})
  return call
}
const restarted: Watched['told'] = [
  { name: 'fault', label: 'main', error },
  { name: 'restart', label: 'main', error },
]
const logged: Watched['lines'] = ['fault', 'is started again'].map(msg => ({ msg, label: 'main', level: 50 }))

const check = (expected: Partial<Expected>, told = restarted, lines = logged): Promise<unknown> =>
  checkPromise({ told, lines } as Watched, {
    label: 'main',
    serves: async () => 'again',
    within: 50,
    toldWithin: 50,
    ...expected,
    calls: expected.calls ?? { call: rejected(error) },
  })

test('a promise that is kept', async () => {
  expect(await check({})).toBe('again')
})

describe('is broken by', () => {
  test.each<[string, Partial<Expected>]>([
    ['a call that never settles', { calls: { call: new Promise(() => {}) } }],
    ['a call that succeeds', { calls: { call: Promise.resolve() } }],
    ['an error without a type', { calls: { call: rejected(new Error('gone')) } }],
    ['an error of another type', { reasons: ['Timeout'] }],
    ['others that do not go on', { others: () => rejected(error) }],
    ['events that are not told', { told: ['fault', 'failed'] }],
    ['events that should not be told', { told: [] }],
  ])('%s', async (_name, expected) => {
    await expect(check(expected)).rejects.toThrow()
  })

  test('a log that does not say it', async () => {
    await expect(check({}, restarted, logged.slice(0, 1))).rejects.toThrow('restart of main is in the log')
  })
})
