import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { judge, type Obituary } from './rules.js'

const its: Obituary = { ranCode: true, by: 'itself', code: 0 }
const own = new Error('its own words')
const sentence = new Error('the sentence')
const transient = { supervision: { restart: 'transient' }, isDraining: () => false } as const
const context = { ...transient, name: 'it', goal: 'fail', sentence, hasRun: true, obstacle: 'stuck' } as const

test('code has ended for what it says itself, then for what the host had against it, and else for how it exited', () =>
  rows([
    ['it threw', { code: 1, error: own }, {}, 'its own words'],
    ['it threw after it had taken the order', { by: 'order', code: 1, error: own }, {}, 'its own words'],
    ['it took the order', { by: 'order' }, {}, 'the sentence'],
    ['it was terminated', { by: 'force', code: 1 }, {}, 'the sentence'],
    ['it could not be terminated', { by: 'nobody', code: undefined }, {}, 'the sentence'],
    ['it had finished before', {}, {}, undefined],
    ['it had exited before', { code: 7 }, {}, 'it exited with code 7'],
    ['it had exited before, and was never ready', {}, { hasRun: false }, 'it exited before it was ready'],
    ['the host had closed it', { by: 'force', code: 1 }, { goal: 'stop' }, undefined],
    [
      'the host had closed it, in vain',
      { by: 'nobody' },
      { goal: 'stop' },
      'it did not exit after it was terminated: stuck',
    ],
    ['it has to run on', {}, { supervision: { restart: 'permanent' } }, 'it exited unexpectedly'],
  ] as const)((_what, obituary, more, message) =>
    expect(judge({ ...its, ...obituary }, { ...context, ...more })?.message).toBe(message),
  ))
