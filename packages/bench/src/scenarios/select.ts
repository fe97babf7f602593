// Selects the scenarios that a command measures.
import { NOISE, type Arm, type Case, type Scenario } from './scenario.js'
import { UsageError } from '../shared/text.js'

/** Reads a filter: a part of a path, or a regular expression between slashes. @throws {UsageError} if it is invalid */
export function parseFilter(filter: string): (path: string) => boolean {
  const [, pattern, flags] = /^\/(.+)\/([a-z]*)$/.exec(filter) ?? []
  if (pattern === undefined) return path => path.includes(filter.toLowerCase())
  try {
    // With a sticky or global flag, the result would depend on the previous one.
    const expression = new RegExp(pattern, flags?.replaceAll(/[gy]/g, ''))
    return path => expression.test(path)
  } catch (error) {
    throw new UsageError(`--filter: ${(error as Error).message}`)
  }
}

/**
 * Returns the scenarios with the wanted cases and arms. A case is measured with every arm that is wanted in any case, and with the
 * reference, because a figure without it says little.
 */
export const select = (
  scenarios: readonly Scenario[],
  isWanted: (path: string) => boolean,
  withReference = true,
): Scenario[] =>
  scenarios.flatMap(scenario => {
    const wants = (inCase: Case, arm: Arm): boolean => isWanted(`${scenario.id}/${inCase.id}/${arm.id}`)
    const cases = scenario.cases.filter(inCase => scenario.arms.some(arm => wants(inCase, arm)))
    const [first, ...others] = scenario.arms.filter(
      (arm, at) => (withReference && at === 0) || cases.some(inCase => wants(inCase, arm)),
    )
    return first && cases.length > 0 ? [{ ...scenario, arms: [first, ...others], cases }] : []
  })

/**
 * Chooses, in their order, the noise check, and the main scenarios or the parts of them that match the filter. The filter must name any other scenario, so
 * that `--filter msgpack` does not take an hour.
 *
 * @param exactly - without the noise check, and without references that do not match
 * @throws {UsageError} if the filter is invalid, or nothing matches
 */
export function choose(scenarios: readonly Scenario[], filter: string | null, exactly = false): Scenario[] {
  const [noise, others] = [true, false].map(isNoise => scenarios.filter(({ id }) => (id === NOISE) === isNoise))
  if (filter === null) return scenarios.filter(({ id, main }) => (id === NOISE ? !exactly : main === true))
  const isWanted = parseFilter(filter)
  const isNamed = ({ id, main }: Scenario): boolean =>
    main === true || isWanted(`${id}/`) || filter.toLowerCase().startsWith(`${id}/`)
  const chosen = select(others!.filter(isNamed), isWanted, !exactly)
  if (chosen.length === 0 && select(noise!, isWanted).length > 0) return noise!
  if (chosen.length === 0) {
    const ids = scenarios.map(({ id }) => id).join(' ')
    throw new UsageError(
      `No path contains '${filter}'. Run \`sallyport-bench list\` for all paths. The scenarios are: ${ids}`,
    )
  }
  const all = exactly ? chosen : [...noise!, ...chosen]
  return scenarios.flatMap(({ id }) => all.find(scenario => scenario.id === id) ?? [])
}

/** Leaves out scenarios and arms that this machine cannot measure. @throws {UsageError} if only the noise check is left */
export function leaveOut(chosen: readonly Scenario[]): { scenarios: Scenario[]; leftOut: string[] } {
  const leftOut: string[] = []
  const isAble = (path: string, { lacks }: Arm): boolean => {
    const lack = lacks?.()
    if (lack !== undefined) leftOut.push(`${path} is left out: ${lack}`)
    return lack === undefined
  }
  const scenarios = chosen.flatMap((scenario): Scenario[] => {
    const [reference, ...others] = scenario.arms
    if (!isAble(scenario.id, reference)) return []
    const able = others.filter(arm => isAble(`${scenario.id}/*/${arm.id}`, arm))
    return [able.length === others.length ? scenario : { ...scenario, arms: [reference, ...able] }]
  })
  if (leftOut.length > 0 && scenarios.every(({ id }) => id === NOISE)) throw new UsageError(leftOut.join('\n'))
  return { scenarios, leftOut }
}
