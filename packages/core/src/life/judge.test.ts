import { createUnsentError } from '@sallyport/protocol/internal/errors'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { describeEnd, judge, type Obituary } from './judge.js'

const its: Obituary = { ranCode: true, by: 'itself', code: 0 }
const own = new Error('its own words')
const sentence = new Error('the sentence')
const lost = createUnsentError('unknown', 'it')
const transient = { supervision: { restart: 'transient' }, isDraining: () => false } as const
const context = { ...transient, name: 'it', goal: 'fail', sentence, hasRun: true, obstacle: 'stuck' } as const

test('code has ended for what it says itself, then for what the host had against it, and else for how it exited', () =>
  rows([
    ['it threw', { code: 1, error: own }, {}, 'its own words'],
    ['it threw after it had taken the order', { by: 'order', code: 1, error: own }, {}, 'its own words'],
    ['it took the order', { by: 'order' }, {}, 'the sentence'],
    ['something was lost with it', { by: 'force', error: lost }, {}, 'the sentence'],
    ['something was lost when it was closed', { by: 'force', error: lost }, { goal: 'stop' }, lost.message],
    ['something was lost before', { error: lost }, {}, lost.message],
    ['it was terminated', { by: 'force', code: 1 }, {}, 'the sentence'],
    ['it could not be terminated', { by: 'nobody', code: undefined }, {}, 'the sentence'],
    ['it had finished before', {}, {}, undefined],
    ['it had exited before', { code: 7 }, {}, 'it exited with code 7'],
    ['it exited before it was reloaded', { code: 7 }, { goal: 'reload' }, undefined],
    ['nobody knows how', { code: undefined }, {}, undefined],
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

test('an end names its frontend once, and code counts as run unless it is known that it has not', () =>
  rows([
    ['it exited', undefined, { ...its, code: 3 }, 'it exited with code 3', true],
    ['before its code began', undefined, { ...its, ranCode: false }, 'it exited with code 0', false],
    ['nobody knows', new Error('The link broke'), undefined, 'it failed: The link broke', true],
    ['its name', new Error('frontend "main" ran out of memory'), its, 'it ran out of memory', true],
    ['its process', new Error('The frontend process was killed'), its, 'it was killed', true],
    ['the name of another', new Error('frontend "b" ended'), its, 'it failed: frontend "b" ended', true],
  ] as const)((_what, error, obituary, why, ranCode) =>
    expect(describeEnd('main', error, obituary)).toEqual({ why, error, ranCode }),
  ))
