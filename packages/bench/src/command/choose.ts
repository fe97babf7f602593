// From a filter to what will be measured, or to a sentence that says what there is.
import type { Loaded } from './additions.js'
import type { Scenario } from '../model/scenario.js'
import { NOISE } from '../model/scenario.js'
import { parseFilter, select } from './select.js'
import { UsageError } from './usage.js'

export interface Wish {
  filter: string | null
  all: boolean
}

/**
 * Without a filter the user's own scenarios, or the main ones where there are none. With one, what it asks for of these, and of
 * those that are measured only by name what their own names ask for: `--filter msgpack` should not take an hour. The check for
 * noise always comes along.
 *
 * @throws UsageError for a filter that is no regular expression, or that nothing matches
 */
export function choose({ ours, own }: Loaded, { filter, all }: Wish): Scenario[] {
  const scenarios = [...ours, ...own]
  const noise = scenarios.filter(({ id }) => id === NOISE)
  const others = scenarios.filter(({ id }) => id !== NOISE)
  if (filter === null && own.length > 0 && !all) return [...noise, ...own]
  if (filter === null) return [...noise, ...others.filter(({ main = false }) => all || main)]
  const wanted = readFilter(filter)
  const named = others.filter(
    ({ id, main = false }) => main || own.some(one => one.id === id) || wanted(`${id}/`) || beginsWith(filter, id),
  )
  const chosen = select(named, wanted)
  if (chosen.length > 0) return [...noise, ...chosen]
  if (select(noise, wanted).length > 0) return noise
  throw new UsageError(
    `nothing has '${filter}' in its path. \`sallyport-bench list\` says what there is:\n${ids(scenarios)}`,
  )
}

/** `fan-out/16` names a scenario, too. */
const beginsWith = (filter: string, id: string): boolean => filter.toLowerCase().startsWith(`${id}/`)

export function readFilter(filter: string): (path: string) => boolean {
  try {
    return parseFilter(filter)
  } catch (error) {
    throw new UsageError(`--filter: ${(error as Error).message}`)
  }
}

const ids = (scenarios: readonly Scenario[]): string => scenarios.map(({ id }) => id).join(' ')
