// From a filter to what will be measured, or to a sentence that says what there is.
import { UsageError } from './options.js'
import type { Scenario } from './scenario.js'
import { allScenarios, namedScenarios } from './scenarios/index.js'
import { allPaths, parseFilter, select } from './select.js'

/**
 * What has to be named is measured only by a filter that names it: `--filter msgpack` should not take three minutes.
 *
 * @throws UsageError for a filter that is no regular expression, or that nothing matches
 */
export function choose(filter: string | null): Scenario[] {
  if (filter === null) return allScenarios()
  const named = Object.entries(namedScenarios())
  const asked = named.filter(([word]) => filter.toLowerCase().includes(word))
  const ofAsked = asked.flatMap(([, scenarios]) => scenarios)
  const chosen = select([...allScenarios(), ...ofAsked], readFilter(filter))
  if (chosen.length > 0) return chosen
  throw new UsageError(`nothing has '${filter}' in its path.\n${whatThereIs(named)}`)
}

function readFilter(filter: string): (path: string) => boolean {
  try {
    return parseFilter(filter)
  } catch (error) {
    throw new UsageError(`--filter: ${(error as Error).message}`)
  }
}

function whatThereIs(named: readonly (readonly [word: string, Scenario[]])[]): string {
  const scenarios = [...allScenarios(), ...named.flatMap(([, ofName]) => ofName)]
  const words = named.map(([word]) => `${word}-…`).join(', ')
  const longest = Math.max(...scenarios.map(({ id }) => id.length))
  const cases = scenarios.map(one => `  ${one.id.padEnd(longest)} ${one.cases.map(({ id }) => id).join(' ')}`)
  const arms = new Set(scenarios.flatMap(one => one.arms.map(({ id }) => id)))
  const [example] = allPaths(scenarios)
  return [
    `A path is scenario/case/arm, as in ${example}. Scenarios and their cases (${words} have to be named):`,
    ...cases,
    `Arms: ${[...arms].join(' ')}`,
  ].join('\n')
}
