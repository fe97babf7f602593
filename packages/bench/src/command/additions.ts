// What users add in files of their own: scenarios, payloads, codecs. They are named on the command line, and read anew by every
// process that measures.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from './usage.js'
import { checkScenario } from './check-scenario.js'
import type { Scenario } from '../model/scenario.js'
import { allScenarios } from '../scenarios/index.js'
import { ownCodec } from '../scenarios/own-files.js'
import { ownPayloads } from '../scenarios/own-files.js'

/** Paths of files. */
export interface Additions {
  scenarios: readonly string[]
  payloads: readonly string[]
  codecs: readonly string[]
}

export interface Loaded {
  /** All scenarios of this package. */
  ours: Scenario[]
  /** Those that came with the user's files. */
  own: Scenario[]
}

/**
 * @throws UsageError for a file that can't be read or holds something else, and for an id that is taken
 */
export async function loadScenarios({ scenarios, payloads, codecs }: Additions): Promise<Loaded> {
  const ours = allScenarios()
  const own = [
    ...(await Promise.all(scenarios.map(scenariosIn))).flat(),
    ...(payloads.length > 0 ? [await ownPayloads(payloads)] : []),
    ...(await Promise.all(codecs.map(ownCodec))),
  ]
  const taken = new Set(ours.map(({ id }) => id))
  for (const { id } of own) {
    if (taken.has(id)) throw new UsageError(`two scenarios are called '${id}'`)
    taken.add(id)
  }
  return { ours, own }
}

/** A module's default export: a scenario, or a list of them. */
async function scenariosIn(path: string): Promise<Scenario[]> {
  const loaded = (await import(pathToFileURL(resolve(path)).href).catch((error: unknown) => {
    throw new UsageError(`--scenario ${path}: ${error instanceof Error ? error.message : String(error)}`)
  })) as { default?: unknown }
  return [loaded.default].flat().map(one => checkScenario(path, one))
}
