// From a filter to what will be measured, or to a sentence that says what there is.
import { UsageError } from './options.js'
import type { Scenario } from './scenario.js'
import { allScenarios } from './scenarios/index.js'
import { allPaths, parseFilter, select } from './select.js'

/** @throws UsageError for a filter that is no regular expression, or that nothing matches */
export function choose(filter: string | null): Scenario[] {
  const all = allScenarios()
  if (filter === null) return all
  const chosen = select(all, readFilter(filter))
  if (chosen.length > 0) return chosen
  throw new UsageError(`nothing has '${filter}' in its path.\n${whatThereIs(all)}`)
}

function readFilter(filter: string): (path: string) => boolean {
  try {
    return parseFilter(filter)
  } catch (error) {
    throw new UsageError(`--filter: ${(error as Error).message}`)
  }
}

function whatThereIs(scenarios: readonly Scenario[]): string {
  const cases = scenarios.map(one => `  ${one.id.padEnd(8)} ${one.cases.map(({ id }) => id).join(' ')}`)
  const arms = new Set(scenarios.flatMap(one => one.arms.map(({ id }) => id)))
  const [example] = allPaths(scenarios)
  return [
    `A path is scenario/case/arm, as in ${example}. Scenarios and their cases:`,
    ...cases,
    `Arms: ${[...arms].join(' ')}`,
  ].join('\n')
}
