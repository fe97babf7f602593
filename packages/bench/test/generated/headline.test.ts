import { expect, test } from 'vitest'
import { getHeadline } from '../../../../scripts/headline.mjs'
import type { Outcome } from '../../src/run/run.js'
import { getScenario, sampleReport } from '../sample-report.js'

const scenarios = ['plugin', 'shapes', 'formats'].map(getScenario)

test('is three sentences, and a picture that begins with the walled process', () => {
  const { sentences, bars } = getHeadline([sampleReport(undefined, scenarios)])
  expect(sentences).toEqual([
    'A plugin in a walled process is ready after 40.0 ms, adds 8.00 MiB of memory, and answers a call each 20 ms in 200 µs: 1.00× (1.00×) the time of a raw Worker.',
    'With 64 calls in flight, a ring has 2.00× the rate of a raw MessagePort, and 0.40× with a hook and encryption.',
    expect.stringMatching(
      /^As MessagePack, a document of 692 KiB takes 0\.58× \(.*\) the time of JSON; encryption adds 1\.00 µs .* to a call alone\.$/,
    ),
  ])
  expect(bars[0]!.title).toBe('process, wall')
  expect(bars.at(-1)!.title).toBe('raw Worker')
})

/** A run in which the ring's rate has so many times its value. */
const atRate =
  (...factors: number[]) =>
  (outcomes: Outcome[]): Outcome[] => {
    for (const { inCase, arm, processes } of outcomes.flatMap(({ cells }) => cells)) {
      const [round] = processes[0]!
      const by = arm.id === 'ring-json' && inCase.id === '64' ? factors : [1, 1, 1, 1]
      processes.splice(0, processes.length, by.map(factor => ({ ...round!, rate: round!['rate']! * factor }))) // prettier-ignore
    }
    return outcomes
  }

test('has the interval of a rate that holds in all runs', () => {
  const runs = [sampleReport(atRate(1, 1, 1, 1), scenarios), sampleReport(atRate(0.8, 0.8, 0.8, 0.8), scenarios)]
  expect(getHeadline([runs[0]!, runs[1]!]).sentences[1]).toContain('a ring has 1.60–2.00× the rate')
})

test('has no ratio of a bimodal rate', () => {
  const { sentences } = getHeadline([sampleReport(atRate(1, 4, 1, 4), scenarios)])
  expect(sentences.join(' ')).not.toContain('64 calls in flight, a ring')
})

test('needs the scenario of a plugin', () => {
  expect(() => getHeadline([sampleReport(undefined, [getScenario('shapes')])])).toThrow('no scenario "plugin"')
})
