import { describe, expect, test } from 'vitest'
import { drawForest, logScale } from './charts.js'
import type { Figure } from './report.js'
import { figureCell } from './tables.js'
import { getTone, judgeNothing } from './tone.js'

const ratio = (value: number, low: number, high: number, better: Figure['better'] = 'lower'): Figure => ({
  ...{ id: 'p50', title: 'p50', unit: 'µs', better, median: 10 },
  ...{ ratio: value, interval: [low, high], processes: [[10]] },
})
const draw = (figures: Figure[], judge = true): string | undefined => {
  const rows = figures.map(figure => ({ name: 'arm', cell: figureCell(figure, false, judge ? getTone : judgeNothing) }))
  return drawForest([{ title: 'case', rows }], { title: 'p50', reference: 'raw', judge })?.text
}

describe('a logarithmic scale', () => {
  test('makes equal factors equal lengths, and keeps every value within', () => {
    const { at } = logScale([0.25, 1, 4])
    expect(at(1)).toBe(50)
    expect(at(4) - at(1)).toBeCloseTo(at(1) - at(0.25))
    expect(at(0.25)).toBeGreaterThan(0)
    expect([at(0.001), at(1000)]).toEqual([0, 100])
  })

  test('does not fill its track with a tiny difference', () => {
    const { at } = logScale([1, 1.001])
    expect(at(1.001) - at(1)).toBeLessThan(1)
  })

  test.each([
    [[0.9, 1.1]],
    [[0.061, 2.7]],
    [[0.001, 1e6]],
    [[1.0, 1.02]],
    [[40, 55]],
    [[3, 400]],
    [[0.3, 3.3]],
    [[1e-9, 1e9]],
  ])('has ticks on %j that are round, few and roomy', values => {
    const { ticks, at } = logScale(values)
    expect(ticks.length).toBeGreaterThanOrEqual(2)
    for (const [index, tick] of ticks.entries()) {
      expect(at(tick)).toBeGreaterThan(0)
      expect(at(tick)).toBeLessThan(100)
      expect(tick).toBe(Number(tick.toPrecision(3)))
      if (index > 0) expect(at(tick) - at(ticks[index - 1]!)).toBeGreaterThanOrEqual(11.9)
    }
  })
})

describe('a forest plot', () => {
  const getTones = (...figures: Figure[]): (string | undefined)[] =>
    [...draw(figures)!.matchAll(/class="row (\w*)"/g)].map(([, tone]) => tone)

  test('has the tone of the table: by the direction of a figure, unless the ratio is near 1 or its interval contains 1', () => {
    const times = [ratio(1.2, 0.9, 1.4), ratio(1.2, 1.1, 1.4), ratio(0.8, 0.7, 0.9)]
    expect(getTones(...times, ratio(1.05, 1.04, 1.06))).toEqual(['', 'worse', 'better', ''])
    expect(getTones(ratio(1.2, 1.1, 1.4, 'higher'), ratio(0.8, 0.7, 0.9, 'higher'))).toEqual(['better', 'worse'])
  })

  test('judges nothing when the noise check failed', () => {
    const text = draw([ratio(3, 2.9, 3.1)], false)
    expect(text).toContain('class="row "')
    expect(text).toContain('not judged')
    expect(text).not.toMatch(/better|worse/)
  })

  test('has the number of each ratio next to its track', () => {
    expect(draw([ratio(12.4, 11, 14)])).toContain('<span class="value">12.4×</span>')
  })

  test('has an interval around each point, and 1 among its ticks', () => {
    const text = draw([ratio(1.2, 1.1, 1.4)])
    expect(text).toMatch(/<i class="range "[^>]*><\/i>\s+<i class="point"/)
    expect(text).toMatch(/<span class="tick strong" [^>]*>1×</)
  })

  test('cuts an interval that would make all others too short, and shows that it did', () => {
    const text = draw([ratio(1.2, 1.1, 1.4), ratio(1.1, 0.0001, 9000)])!
    const [short, long] = [...text.matchAll(/<i class="range ([^"]*)"\s+style="left:[\d.]+%;width:([\d.]+)%/g)]
    expect(long![1]).toBe(' cut-left cut-right')
    expect(short![1]).toBe('')
    expect(Number(short![2])).toBeGreaterThan(5)
  })

  test('is left out when no figure has a ratio', () => {
    expect(draw([{ ...ratio(1, 1, 1), ratio: null, interval: null }])).toBeUndefined()
  })
})
