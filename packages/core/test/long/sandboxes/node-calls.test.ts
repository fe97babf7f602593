// Wrong calls of Node's functions, each of which would end the host's process without the sandbox, and correct ones.
import { describe, expect, test } from 'vitest'
import { callCorrectly, wrong } from '../../fixtures/sandboxes/node-calls.mjs'
import type { Bus } from '../../../src/index.js'
import { fixture, reuseBus } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const bus = reuseBus()

describe.each(choose(['permission', 'process'] as const))('sandbox: %s', sandbox => {
  const open = async (): Promise<Bus> => {
    const shared = await bus()
    await shared.open('main', fixture('sandboxes/calling.mjs'), { sandbox })
    return shared
  }

  test('a wrong call throws in the frontend, and the host lives on', async () => {
    const shared = await open()
    await rows(Object.keys(wrong))(async name => {
      expect(await shared.call<string[]>('main', 'callWrongly', { name })).not.toContain('nothing')
    })
  })

  test('correct calls have the same results as in the host: -0 is 0, and a slice of a blob rounds', async () => {
    const shared = await open()
    const outcomes = await shared.call<Record<'negative' | 'positive', unknown[]>>('main', 'callWithZeros')
    expect(outcomes.negative).toEqual(outcomes.positive)
    expect(outcomes.positive).toContain('true')
    expect(await shared.call('main', 'slice')).toEqual([1, 3, 3, 1, 0])
    const expected: unknown = JSON.parse(JSON.stringify(callCorrectly()))
    expect(await shared.call('main', 'callCorrectly')).toEqual(expected)
  })
})
