import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { judge, type Obituary } from './judge.js'

const its: Obituary = { ranCode: true, wasReady: true, by: 'itself', code: 0 }
const own = new Error('its own words')
const sentence = new Error('the sentence')

test('a worker has ended for what it says itself, then for what the host had against it, and else for how it exited', () =>
  rows([
    ['it threw', { code: 1, error: own }, 'its own words'],
    ['it threw after it had taken the order', { by: 'order', code: 1, error: own }, 'its own words'],
    ['it took the order', { by: 'order' }, 'the sentence'],
    ['it was terminated', { by: 'force', code: 1 }, 'the sentence'],
    ['it had finished before', {}, undefined],
    ['it had exited before', { code: 7 }, 'it exited with code 7'],
    ['it had exited before, and was never ready', { wasReady: false }, 'it exited before it was ready'],
  ] as const)((_what, obituary, message) =>
    expect(judge({ ...its, ...obituary }, { name: 'it', sentence, isPermanent: false })?.message).toBe(message),
  ))

test('a permanent worker that exits without a reason has failed', () => {
  const verdict = { name: 'it', sentence: undefined }
  expect(judge(its, { ...verdict, isPermanent: false })).toBeUndefined()
  expect(judge(its, { ...verdict, isPermanent: true })?.message).toBe('it exited unexpectedly')
})
