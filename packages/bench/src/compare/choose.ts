// What a comparison measures: arms that the head's code can change. A reference stays the same, and is left out unless it is
// what was asked for.
import type { Loaded } from '../command/additions.js'
import { readFilter } from '../command/choose.js'
import type { Scenario } from '../model/scenario.js'
import { NOISE } from '../model/scenario.js'
import { select } from '../command/select.js'
import { UsageError } from '../command/usage.js'

/** Without a filter: the ways that a message can take, in figures that are steady. */
const LINKS = ['ring-json', 'ring-msgpack', 'port-json', 'isolation-ring-json']
const USUAL = new Set([
  ...['latency/1', 'throughput/64'].flatMap(inCase => LINKS.map(arm => `${inCase}/${arm}`)),
  ...['json', 'msgpack'].flatMap(arm => [`codec/usual/${arm}`, `one-thread/64/${arm}`]),
])

/** @throws UsageError where nothing is left */
export function chooseForComparison({ ours, own }: Loaded, filter: string | null): Scenario[] {
  const all = [...ours, ...own].filter(({ id }) => id !== NOISE)
  if (filter === null && own.length > 0) return own.map(withoutReference)
  const wanted = filter === null ? (path: string) => USUAL.has(path) : readFilter(filter)
  const chosen = all.flatMap(scenario => {
    const [reference] = scenario.arms
    const others = asked(scenario, path => wanted(path) && !path.endsWith(`/${reference.id}`))
    return others.length > 0 ? others : asked(scenario, wanted)
  })
  if (chosen.length > 0) return chosen
  throw new UsageError(`nothing has '${filter}' in its path. \`sallyport-bench list\` says what there is.`)
}

/** The cases and arms that are asked for; unlike for a run, the reference does not come along. */
function asked(scenario: Scenario, wanted: (path: string) => boolean): Scenario[] {
  const isAsked = (inCase: string, arm: string): boolean => wanted(`${scenario.id}/${inCase}/${arm}`)
  const [first, ...others] = scenario.arms.filter(arm => scenario.cases.some(one => isAsked(one.id, arm.id)))
  const cases = scenario.cases.filter(one => scenario.arms.some(arm => isAsked(one.id, arm.id)))
  return first ? [{ ...scenario, arms: [first, ...others], cases }] : []
}

function withoutReference(scenario: Scenario): Scenario {
  const [, ...others] = scenario.arms
  const [first, ...more] = others
  return first ? { ...scenario, arms: [first, ...more] } : scenario
}

/**
 * What a file has ratios of, with the references, and the check for noise that every run makes.
 *
 * @throws UsageError where the filter leaves nothing of it
 */
export function chooseForFile({ ours, own }: Loaded, filter: string | null, figures: readonly string[]): Scenario[] {
  const paths = pathsOf(figures)
  const wanted = filter === null ? (): boolean => true : readFilter(filter)
  const scenarios = [...ours, ...own]
  const chosen = select(
    scenarios.filter(({ id }) => id !== NOISE),
    path => paths.has(path) && wanted(path),
  )
  if (chosen.length > 0) return [...scenarios.filter(({ id }) => id === NOISE), ...chosen]
  throw new UsageError('--base: of its ratios there is none that could be measured now.')
}

/** The same once more, for these figures alone. */
export const onlyFigures = (chosen: readonly Scenario[], figures: readonly string[]): Scenario[] => {
  const paths = pathsOf(figures)
  return chosen.flatMap(scenario =>
    scenario.arms.flatMap(arm => asked({ ...scenario, arms: [arm] }, path => paths.has(path))),
  )
}

const pathsOf = (figures: readonly string[]): Set<string> =>
  new Set(figures.map(figure => figure.slice(0, figure.lastIndexOf('/'))))
