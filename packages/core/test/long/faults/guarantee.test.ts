// The checks of the tests of faults themselves: a bus that breaks the guarantee is detected.
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { BusError } from '../../../src/index.js'
import { checkGuarantee, type Expected, type Watched } from './guarantee.js'

const error = new BusError('Disconnected', 'gone')
/** Rejects before its test begins, without an unhandled rejection. */
const rejected = (reason: Error): Promise<unknown> => {
  const call = Promise.reject(reason)
  call.catch(() => {})
  return call
}
const restarted: Watched['events'] = [
  { name: 'fault', label: 'main', error },
  { name: 'restart', label: 'main', error },
]
const logged: Watched['lines'] = ['fault', 'restarting'].map(msg => ({ msg, label: 'main', level: 50 }))

const check = (expected: Partial<Expected>, events = restarted, lines = logged): Promise<unknown> =>
  checkGuarantee({ events, lines } as Watched, {
    label: 'main',
    serves: async () => 'again',
    settleTimeout: 1,
    eventTimeout: 1,
    ...expected,
    calls: expected.calls ?? { call: rejected(error) },
  })

test('the check passes if the guarantee holds', async () => {
  expect(await check({})).toBe('again')
})

test('the check fails on whatever breaks the guarantee', async () => {
  const broken: [what: string, Partial<Expected>][] = [
    ['a call that never settles', { calls: { call: new Promise(() => {}) } }],
    ['a call that succeeds', { calls: { call: Promise.resolve() } }],
    ['an error without a type', { calls: { call: rejected(new Error('gone')) } }],
    ['an error of another type', { reasons: ['Timeout'] }],
    ['others that are affected', { others: () => rejected(error) }],
    ['missing events', { events: ['fault', 'failed'] }],
    ['unexpected events', { events: [] }],
  ]
  await rows(broken)((_what, expected) => expect(check(expected)).rejects.toThrow())
  await expect(check({}, restarted, logged.slice(0, 1))).rejects.toThrow('restart of main is in the log')
})
