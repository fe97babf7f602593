// Is it a measurement? Asked of whatever an arm gives, because arms are users' own, too: what is no number can't be averaged,
// and what can't be true must not be shown.
import type { Case } from '../scenario.js'
import type { Measurement } from '../task.js'

/**
 * @param measured the case's figures; one that the arm can't measure may be left out
 * @throws Error that says which of them is none
 */
export function checkMeasurement({ figures }: Pick<Case, 'figures'>, measured: unknown): Measurement {
  if (typeof measured !== 'object' || measured === null) throw new Error('the arm gave no figures')
  for (const { id, unit } of figures) {
    const value = (measured as Record<string, unknown>)[id]
    if (value === undefined) continue
    const least = unit === 'µs' || unit === '/s' ? 0 : -Infinity
    if (!Number.isFinite(value) || (value as number) < least)
      throw new Error(`no measurement: ${id} is ${String(value)}`)
  }
  return measured as Measurement
}
