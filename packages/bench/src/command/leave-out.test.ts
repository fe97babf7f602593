import { expect, test } from 'vitest'
import type { Scenario } from '../model/scenario.js'
import { leaveOut } from './leave-out.js'
import { getScenario } from '../scenarios/index.js'

const noise = getScenario('noise')
const start = getScenario('start')

const lacking: Scenario = { ...start, id: 'far', lacks: () => 'there is no ferry' }

test('what can’t be measured here is left out, with a word', () => {
  expect(leaveOut([noise, start, lacking])).toEqual({
    scenarios: [noise, start],
    leftOut: ['far is left out: there is no ferry'],
  })
  expect(leaveOut([noise])).toEqual({ scenarios: [noise], leftOut: [] })
})

test('a run of nothing else is a mistake that says why', () => {
  expect(() => leaveOut([noise, lacking])).toThrow('far is left out: there is no ferry')
})
