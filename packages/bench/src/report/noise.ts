// Can a run be believed? Every run measures some arms twice; where they differ by more than a difference would be shown as one,
// what the run says is neither good nor bad.
import { NOISE } from '../model/scenario.js'
import { estimateRatio } from '../statistics/ratio.js'
import { short } from './format.js'
import type { Noise, NoiseCheck, Report } from './report.js'
import { NOTABLE } from './table.js'

/** @returns `null` where the run has no arm twice, or one of them failed */
export function judgeNoise({ scenarios }: Pick<Report, 'scenarios'>): Noise | null {
  const measured = scenarios.find(({ id }) => id === NOISE)
  const checks = (measured?.cases ?? []).flatMap(({ id: inCase, results }) =>
    results.flatMap(({ arm, figures }): NoiseCheck[] => {
      const first = results.find(other => `${other.arm}-again` === arm)
      const [of, against] = [figures[0], first?.figures[0]]
      const estimate = of && against && estimateRatio(of.processes, against.processes)
      if (!estimate) return []
      const { ratio, interval, smallestEffect } = estimate
      return [
        {
          figure: `${NOISE}/${inCase}/${arm}/${of.id}`,
          ratio: short(ratio),
          interval: [short(interval[0]), short(interval[1])],
          smallestEffect: Number.isFinite(smallestEffect) ? short(smallestEffect) : null,
        },
      ]
    }),
  )
  if (checks.length === 0) return null
  const strays = checks.some(({ ratio }) => ratio > NOTABLE || ratio < 1 / NOTABLE)
  return { outcome: strays ? 'too noisy' : 'steady', tolerance: NOTABLE, checks }
}
