// Which measurements a filter asks for. Every one has a path, `scenario/case/arm`; the reference comes along with
// whatever is chosen, because a figure without it says little.
import type { Scenario } from '../model/scenario.js'

const pathsOf = ({ id, cases, arms }: Scenario): string[][] =>
  cases.map(one => arms.map(arm => `${id}/${one.id}/${arm.id}`))

/** All paths that there are, for a message or a list. */
export const allPaths = (scenarios: readonly Scenario[]): string[] => scenarios.flatMap(one => pathsOf(one).flat())

/**
 * Reads `--filter`: `/…/` with flags is a regular expression, anything else is a text that the path contains.
 *
 * @throws SyntaxError for a broken regular expression
 */
export function parseFilter(text: string): (path: string) => boolean {
  const [, pattern, flags] = /^\/(.+)\/([a-z]*)$/.exec(text) ?? []
  if (pattern === undefined) return path => path.includes(text.toLowerCase())
  const expression = new RegExp(pattern, flags?.replaceAll(/[gy]/g, ''))
  return path => expression.test(path)
}

/**
 * The scenarios with the cases and arms that are asked for, and none that is empty. An arm stays where one of its cases is
 * asked for; a case is measured with all arms that stay.
 */
export function select(scenarios: readonly Scenario[], wanted: (path: string) => boolean): Scenario[] {
  return scenarios.flatMap(scenario => {
    const { arms, cases } = scenario
    const asked = pathsOf(scenario).map(paths => paths.map(wanted))
    const [reference, ...others] = arms
    const kept = others.filter((_, at) => asked.some(row => row[at + 1]))
    const left = cases.filter((_, at) => asked[at]?.some(Boolean))
    return left.length === 0 ? [] : [{ ...scenario, arms: [reference, ...kept] as const, cases: left }]
  })
}
