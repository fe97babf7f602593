import { expect, test } from 'vitest'
import type { Arm } from '../model/scenario.js'
import { usualCall } from '../payloads/payloads.js'
import { latency, type Case, type Scenario } from '../model/scenario.js'
import { allPaths, parseFilter, select } from './select.js'

const arm = (id: string): Arm => ({ id, title: id, open: () => Promise.reject(new Error('not opened here')) })
const one = (id: string): Case => ({
  id,
  title: id,
  task: { loop: 'calls' },
  payload: usualCall,
  figures: [latency('p50', 'p50')],
})
const scenarios: Scenario[] = [
  {
    id: 'call',
    title: '',
    about: '',
    arms: [arm('raw'), arm('json'), arm('gate')],
    cases: [one('1'), one('64')],
    rows: 'arms',
  },
  { id: 'start', title: '', about: '', arms: [arm('worker'), arm('json')], cases: [one('start')], rows: 'cases' },
]
const paths = (filter: string): string[] => allPaths(select(scenarios, parseFilter(filter)))

test('a scenario keeps its cases and arms', () => {
  expect(paths('call')).toHaveLength(6)
})

test('a case keeps all arms, an arm all cases, with the reference', () => {
  expect(paths('call/64/')).toEqual(['call/64/raw', 'call/64/json', 'call/64/gate'])
  expect(paths('gate')).toEqual(['call/1/raw', 'call/1/gate', 'call/64/raw', 'call/64/gate'])
})

test('text is compared without regard to case, and has no special characters', () => {
  expect(paths('START')).toEqual(['start/start/worker', 'start/start/json'])
  expect(paths('st.rt')).toEqual([])
})

test('a regular expression stands between slashes', () => {
  expect(paths('/^start|gate$/')).toEqual([
    'call/1/raw',
    'call/1/gate',
    'call/64/raw',
    'call/64/gate',
    'start/start/worker',
    'start/start/json',
  ])
  expect(() => parseFilter('/(/')).toThrow(SyntaxError)
})

test('a sticky or global flag does not make the answer depend on the question before', () => {
  const wanted = parseFilter('/json/g')
  expect([wanted('json'), wanted('json')]).toEqual([true, true])
})
