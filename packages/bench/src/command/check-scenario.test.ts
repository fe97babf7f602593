import { expect, test } from 'vitest'
import { checkScenario } from './check-scenario.js'
import { UsageError } from './usage.js'
import { getScenario } from '../scenarios/index.js'

const noise = getScenario('noise')

const check = (given: unknown): unknown => checkScenario('mine.js', given)

test('a scenario is one, and what is only for readers may be left out', () => {
  expect(check(noise)).toEqual(noise)
  const { id, arms, cases } = noise
  expect(check({ id, arms, cases })).toMatchObject({ title: id, about: '', rows: 'cases' })
})

test.each([
  [undefined, 'its default export is no scenario'],
  [
    { ...noise, id: 'My scenario' },
    'a scenario needs an id of lower-case letters, digits and dashes, not "My scenario"',
  ],
  [{ ...noise, arms: [] }, "scenario 'noise' has no arms"],
  [{ ...noise, arms: [{ id: 'a' }] }, "arm 'a' of 'noise' has no open()"],
  [{ ...noise, arms: [noise.arms[0], noise.arms[0]] }, "two arms of 'noise' are called 'raw'"],
  [{ ...noise, cases: [{ id: 'a' }] }, "case 'a' of 'noise' has no task"],
  [{ ...noise, cases: [{ ...noise.cases[0], payload: {} }] }, "case '1' of 'noise' has no payload with calls"],
  [{ ...noise, cases: [{ ...noise.cases[0], figures: [] }] }, "case '1' of 'noise' has no figures"],
])('%j is none: %s', (given, message) => {
  expect(() => check(given)).toThrow(UsageError)
  expect(() => check(given)).toThrow(`--scenario mine.js: ${message}`)
})
