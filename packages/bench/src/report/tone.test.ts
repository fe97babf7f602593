import { expect, test } from 'vitest'
import type { Figure } from './report.js'
import { createJudge, getTone } from './tone.js'
import { noisySample, tooNoisy } from '../../test/sample-report.js'

const figure = (ratio: number | null, more: Partial<Figure> = {}): Figure => ({
  ...{ id: 'p50', title: 'p50', unit: 'µs', better: 'lower', median: 10 },
  ...{ ratio, interval: null, processes: [[10]], ...more },
})

test('is better or worse by the direction of the figure', () => {
  expect([0.8, 1.2].map(ratio => getTone(figure(ratio)))).toEqual(['better', 'worse'])
  expect([0.8, 1.2].map(ratio => getTone(figure(ratio, { better: 'higher' })))).toEqual(['worse', 'better'])
})

test('is neutral without a ratio, within a tenth, or when the interval has both sides of 1', () => {
  expect(getTone(figure(null))).toBeUndefined()
  expect(getTone(figure(1.08, { interval: [1.03, 1.11] }))).toBeUndefined()
  expect(getTone(figure(1.3, { interval: [0.9, 1.5] }))).toBeUndefined()
  expect(getTone(figure(1.3, { interval: [1.2, 1.5] }))).toBe('worse')
})

test('is neutral within the difference of two identical arms', () => {
  const noise = { ...tooNoisy(noisySample()).noise!, outcome: 'steady' as const }
  noise.checks[0]!.ratio = 1.2
  const judge = createJudge({ mode: 'full', noise })
  expect([1.15, 1.3].map(ratio => judge(figure(ratio)))).toEqual([undefined, 'worse'])
})

test('is neutral in a run that is too noisy, and for a tail of a quick run', () => {
  expect(createJudge({ mode: 'full', noise: tooNoisy(noisySample()).noise })(figure(3))).toBeUndefined()
  const modes = (['quick', 'full'] as const).map(mode => createJudge({ mode, noise: null })(figure(3, { id: 'p99' })))
  expect(modes).toEqual([undefined, 'worse'])
})
