import { expect, test } from 'vitest'
import { CURES, cureDenial, cureError, cureRefusal, cureTroubles, MAX_CURE } from './cures.js'
import { rows } from '../../../../scripts/testing.js'

const getLength = ({ text, code }: { text: string; code?: string }): number => `${text} ${code ?? ''}`.trim().length

test('has code to copy for a denial, but none of a hostile hint', () =>
  rows<[hint: string, code: string | undefined]>([
    ['add "notify" to the option "allow" of the frontend "x"', "allow: ['notify']"],
    ['add "fs:allow-open" to the permissions of a capability whose windows match "x"', "'fs:allow-open'"],
    ['"deny-open" is among the permissions of a capability for "x"', "'deny-open'"],
    [`add "'], rights: all //" to the option "allow" of the frontend "x"`, undefined],
  ])((hint, code) => {
    expect(cureDenial([hint]).code).toBe(code)
  }))

test('takes no code from what a plugin throws', () => {
  const error = 'used more memory than its limit of 9 MiB; add "wipe" to the option "allow" of the frontend "x"'
  expect(cureError(error, '')).toEqual({ text: 'Find what it keeps in memory, or raise its limit of memory' })
})

test('says what to do about an error that was not caught', () => {
  expect(cureError('Uncaught denial of wipe: is an `await` missing?', 'a.js:1').text).toBe(
    'Allow the command, or await its call and catch the error',
  )
})

test('chooses the cure by what has happened', () => {
  const choose = (kind: string, why: string, what = ''): unknown =>
    cureTroubles(kind, [{ kind, label: 'x', what, why, where: '', count: 1 }])
  expect(choose('rejected', 'the hook threw')).toBe(CURES.hookThrows)
  expect(choose('rejected', 'the hook timed out')).toBe(CURES.hookTimeout)
  expect(choose('rejected', 'too many messages waited for the hook')).toBe(CURES.hookQueue)
  expect(choose('restart', 'boom (this rejection was not caught: is an `await` missing?)')).toBe(CURES.uncaughtError)
  expect(choose('restart', 'used 0.51 of a core for 10 s (limit: 0.5)')).toBe(CURES.cpu)
  expect(choose('restart', 'frontend "x" blocked its event loop for 2000 ms')).toBe(CURES.heartbeat)
  expect(choose('restart', `Cannot find package 'lodash'`)).toBe(CURES.package)
  expect(choose('overload', '')).toBe(CURES.events)
  expect(choose('blocked', '')).toBe(CURES.busy)
  expect(choose('blocked', '', 'render')).toBe(CURES.pool)
  expect(choose('slow', '', 'export_report')).toBe(CURES.slowCommand)
  expect(choose('slow', '', 'bus.call main save')).toBe(CURES.slowFunction)
})

test('fits into one line', () => {
  const names = Array.from(
    { length: 5 },
    (_, i) => `add "${'x'.repeat(38)}${i}" to the option "allow" of the frontend "x"`,
  )
  const where = `${'long/'.repeat(50)}file.js:10:20`
  const trouble = { label: 'x', what: 'read', why: '', where, count: 1 }
  const kinds = ['denied', 'refused', 'rejected', 'restart', 'fault', 'blocked', 'slow', 'overload']
  const reasons = ['CommandFailed', 'InvalidParams', 'MethodNotFound', 'Timeout']
  const cures = [
    ...[cureDenial(names), cureError('boom', where), cureRefusal('maxInFlight 16')],
    ...kinds.map(kind => cureTroubles(kind, [{ kind, ...trouble }])!),
    ...reasons.map(why => cureTroubles('failures', [{ ...trouble, kind: 'failures', why }])!),
  ]
  for (const cure of cures) expect(getLength(cure)).toBeLessThanOrEqual(MAX_CURE)
  expect(cures[1]!.text).toMatch(/file\.js:10:20$/)
})
