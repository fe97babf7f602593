import { expect, test } from 'vitest'
import { getHeadline } from '../../../../scripts/headline.mjs'
import { getScenario, sampleReport } from '../sample-report.js'

const scenarios = ['plugin', 'formats'].map(getScenario)

test('is a sentence of at most five figures, and a table sorted by the start', () => {
  const { sentence, table } = getHeadline(sampleReport(undefined, scenarios))
  expect(sentence).toBe(
    'A plugin in a walled process is ready after 40.0 ms, adds 8.00 MiB of memory, and answers a call in 200 µs.' +
      ' Of a call of 100 bytes, MessagePack takes 0.50× the CPU time of JSON-RPC, and encryption adds 0.500 µs.',
  )
  const [heads, ...rows] = table
  expect(heads).toEqual(['plugin', 'start', 'memory', 'a call every 20 ms'])
  expect(new Set(rows.map(([name]) => name))).toEqual(
    new Set(['permission', 'raw Worker', 'raw fork', 'script', 'wall and gate', 'walled process']),
  )
})

test('judges no format whose interval holds no difference', () => {
  const { sentence } = getHeadline(
    sampleReport(outcomes => {
      for (const { processes } of outcomes.flatMap(({ cells }) => cells))
        for (const round of processes.flat()) Object.assign(round, { cpu: 1 })
      return outcomes
    }, scenarios),
  )
  expect(sentence).toContain('Of a call of 100 bytes, no difference between MessagePack and JSON-RPC can be told')
})

test('needs the scenario of a plugin', () => {
  expect(() => getHeadline(sampleReport(undefined, [getScenario('shapes')]))).toThrow('no scenario "plugin"')
})
