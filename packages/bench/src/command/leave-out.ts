// What this machine can't measure is left out of a run, with a word for it.
import type { Scenario } from '../model/scenario.js'
import { NOISE } from '../model/scenario.js'
import { UsageError } from './usage.js'

export interface Able {
  scenarios: Scenario[]
  /** A line for each that was left out. */
  leftOut: string[]
}

/** @throws UsageError where nothing is left but the check for noise, of a choice that was more */
export function leaveOut(chosen: readonly Scenario[]): Able {
  const scenarios = chosen.filter(scenario => scenario.lacks?.() === undefined)
  const leftOut = chosen.flatMap(scenario => {
    const lack = scenario.lacks?.()
    return lack === undefined ? [] : [`${scenario.id} is left out: ${lack}`]
  })
  if (leftOut.length > 0 && scenarios.every(({ id }) => id === NOISE)) throw new UsageError(leftOut.join('\n'))
  return { scenarios, leftOut }
}
