// Wrong calls of Node's functions, each of which would end the host's process without the sandbox, and correct ones.
import { describe, expect, test } from 'vitest'
import { callCorrectly, wrong } from '../../fixtures/sandboxes/node-calls.mjs'
import { fixture, reuseBus } from '../../support/start.js'

const bus = reuseBus()

describe.each(['permission', 'process'] as const)('sandbox: %s', sandbox => {
  test.each(Object.keys(wrong))('a wrong call throws in the frontend, and the host lives on: %s', async name => {
    const shared = await bus()
    await shared.open('main', fixture('sandboxes/calling.mjs'), { sandbox })
    const errors = await shared.call<string[]>('main', 'callWrongly', { name })
    expect(errors).not.toContain('nothing')
  })

  test('-0 as a whole number is 0, and the host lives on', async () => {
    const shared = await bus()
    await shared.open('main', fixture('sandboxes/calling.mjs'), { sandbox })
    const outcomes = await shared.call<Record<'negative' | 'positive', unknown[]>>('main', 'callWithZeros')
    expect(outcomes.negative).toEqual(outcomes.positive)
    expect(outcomes.positive).toContain('true')
  })

  test('a slice of a blob rounds, and the host lives on', async () => {
    const shared = await bus()
    await shared.open('main', fixture('sandboxes/calling.mjs'), { sandbox })
    expect(await shared.call('main', 'slice')).toEqual([1, 3, 3, 1, 0])
  })

  test('a correct call has the same results as in the host', async () => {
    const shared = await bus()
    await shared.open('main', fixture('sandboxes/calling.mjs'), { sandbox })
    const expected: unknown = JSON.parse(JSON.stringify(callCorrectly()))
    expect(await shared.call('main', 'callCorrectly')).toEqual(expected)
  })
})
