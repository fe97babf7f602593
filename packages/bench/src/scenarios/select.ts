// Selects the scenarios that a command measures: those of this package, those in files of the user's, and what a filter names.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as v from 'valibot'
import { NOISE, type Additions, type Arm, type Case, type Scenario } from '../model/scenario.js'
import { UsageError } from '../shared/text.js'
import { allScenarios } from './index.js'
import { ownCodec, ownPayloads } from './own-files.js'

export interface Loaded {
  /** All scenarios of this package. */
  ours: Scenario[]
  /** Those that came with the user's files. */
  custom: Scenario[]
}

/** @throws {UsageError} if a file cannot be read or holds something else, or an id is taken */
export async function loadScenarios({ scenarios, payloads, codecs }: Additions): Promise<Loaded> {
  const ours = allScenarios()
  const custom = [
    ...(await Promise.all(scenarios.map(loadModule))).flat(),
    ...(payloads.length > 0 ? [await ownPayloads(payloads)] : []),
    ...(await Promise.all(codecs.map(ownCodec))),
  ]
  const ids = [...ours, ...custom].map(({ id }) => id)
  const twice = ids.find((id, at) => ids.indexOf(id) !== at)
  if (twice !== undefined) throw new UsageError(`two scenarios are called '${twice}'`)
  return { ours, custom }
}

/** Loads a module whose default export is a scenario, or a list of them. */
async function loadModule(path: string): Promise<Scenario[]> {
  const loaded = (await import(pathToFileURL(resolve(path)).href).catch((error: unknown) => {
    throw new UsageError(`--scenario ${path}: ${error instanceof Error ? error.message : String(error)}`)
  })) as { default?: unknown }
  return [loaded.default].flat().map(scenario => checkScenario(path, scenario))
}

const ID = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]*$/, 'an id has only lower-case letters, digits and dashes'))

const createList = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.pipe(
    v.array(v.looseObject({ id: ID, ...entries })),
    v.nonEmpty('the list is empty'),
    v.check(list => new Set(list.map(({ id }) => id)).size === list.length, 'two of them have the same id'),
  )

const task = v.looseObject({ loop: v.string() })
const payload = v.looseObject({ calls: v.array(v.unknown()) })
const figures = v.pipe(v.array(v.unknown()), v.nonEmpty('the list is empty'))
const SCENARIO = v.looseObject({
  id: ID,
  arms: createList({ open: v.function() }),
  cases: createList({ task, payload, figures }),
})

/** @throws {UsageError} if a user's file has no scenario, or a broken one: says what is wrong, and where */
export function checkScenario(path: string, value: unknown): Scenario {
  const { success, issues } = v.safeParse(SCENARIO, value)
  if (!success)
    throw new UsageError(`--scenario ${path}: ${v.getDotPath(issues[0]) ?? 'default export'}: ${issues[0].message}`)
  // The user's own objects, because an arm can be an instance of a class.
  const scenario = value as Partial<Scenario> & Pick<Scenario, 'id' | 'arms' | 'cases'>
  return { title: scenario.id, about: '', rows: 'cases', ...scenario }
}

/**
 * Reads a filter: `/…/` with flags is a regular expression, anything else is a text that the path contains.
 *
 * @throws {UsageError} if the regular expression is broken
 */
export function parseFilter(filter: string): (path: string) => boolean {
  const [, pattern, flags] = /^\/(.+)\/([a-z]*)$/.exec(filter) ?? []
  if (pattern === undefined) return path => path.includes(filter.toLowerCase())
  try {
    // With a sticky or global flag, an answer would depend on the one before.
    const expression = new RegExp(pattern, flags?.replaceAll(/[gy]/g, ''))
    return path => expression.test(path)
  } catch (error) {
    throw new UsageError(`--filter: ${(error as Error).message}`)
  }
}

/**
 * Returns the scenarios with the wanted cases and arms, without those that are empty. A case is measured with every arm
 * that is wanted in one of them, and with the reference, because a figure without it says little.
 */
export const select = (
  scenarios: readonly Scenario[],
  isWanted: (path: string) => boolean,
  withReference = true,
): Scenario[] =>
  scenarios.flatMap(scenario => {
    const wants = (inCase: Case, arm: Arm): boolean => isWanted(`${scenario.id}/${inCase.id}/${arm.id}`)
    const cases = scenario.cases.filter(inCase => scenario.arms.some(arm => wants(inCase, arm)))
    const isKept = (arm: Arm, at: number): boolean =>
      (withReference && at === 0) || cases.some(inCase => wants(inCase, arm))
    const [first, ...others] = scenario.arms.filter(isKept)
    return first && cases.length > 0 ? [{ ...scenario, arms: [first, ...others], cases }] : []
  })

export interface Wish {
  filter: string | null
  all: boolean
}

/**
 * Chooses what a run measures, always with the noise check. Without a filter these are the user's own scenarios, or the main
 * ones; with one, what it selects of these. Scenarios that are measured only by name have to be named by it, so that
 * `--filter msgpack` does not take an hour.
 *
 * @throws {UsageError} if the filter is broken, or nothing matches
 */
export function choose({ ours, custom }: Loaded, { filter, all }: Wish): Scenario[] {
  const scenarios = [...ours, ...custom]
  const noise = scenarios.filter(({ id }) => id === NOISE)
  const others = scenarios.filter(({ id }) => id !== NOISE)
  const main = others.filter(entry => entry.main === true)
  if (filter === null) return [...noise, ...(all ? others : custom.length > 0 ? custom : main)]
  const isWanted = parseFilter(filter)
  const isNamed = ({ id }: Scenario): boolean => isWanted(`${id}/`) || filter.toLowerCase().startsWith(`${id}/`)
  const named = others.filter(entry => main.includes(entry) || custom.includes(entry) || isNamed(entry))
  const chosen = select(named, isWanted)
  if (chosen.length > 0) return [...noise, ...chosen]
  if (select(noise, isWanted).length > 0) return noise
  const ids = scenarios.map(({ id }) => id).join(' ')
  throw new UsageError(`nothing has '${filter}' in its path. \`sallyport-bench list\` says what there is:\n${ids}`)
}

/**
 * Leaves out what this machine cannot measure, with a line for each.
 *
 * @throws {UsageError} if nothing but the noise check is left of a choice that was more
 */
export function leaveOut(chosen: readonly Scenario[]): { scenarios: Scenario[]; leftOut: string[] } {
  const lacks = chosen.map(scenario => ({ scenario, lack: scenario.lacks?.() }))
  const scenarios = lacks.flatMap(({ scenario, lack }) => (lack === undefined ? [scenario] : []))
  const leftOut = lacks.flatMap(({ scenario: { id }, lack }) =>
    lack === undefined ? [] : `${id} is left out: ${lack}`,
  )
  if (leftOut.length > 0 && scenarios.every(({ id }) => id === NOISE)) throw new UsageError(leftOut.join('\n'))
  return { scenarios, leftOut }
}
