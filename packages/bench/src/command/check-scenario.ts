// Is it a scenario? Asked of what comes out of a user's file, so that a slip there is told in words before anything is measured.
import type { Scenario } from '../model/scenario.js'
import { UsageError } from './usage.js'

const ID = /^[a-z0-9][a-z0-9-]*$/

type Fields = Record<string, unknown>

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/**
 * @param path where it comes from
 * @throws UsageError that says what is missing, and where
 */
export function checkScenario(path: string, given: unknown): Scenario {
  const wrong = (what: string): never => {
    throw new UsageError(`--scenario ${path}: ${what}`)
  }
  if (!isObject(given)) return wrong('its default export is no scenario, nor a list of them')
  const { id, arms, cases } = given
  const idOf = (value: unknown, what: string): string => {
    const found = isObject(value) ? value['id'] : undefined
    if (typeof found === 'string' && ID.test(found)) return found
    return wrong(`${what} needs an id of lower-case letters, digits and dashes, not ${JSON.stringify(found)}`)
  }
  idOf(given, 'a scenario')
  const listOf = (value: unknown, what: string): Fields[] => {
    if (!Array.isArray(value) || value.length === 0) return wrong(`scenario '${String(id)}' has no ${what}`)
    const names = value.map(one => idOf(one, `each of the ${what} of '${String(id)}'`))
    const twice = names.find((name, at) => names.indexOf(name) !== at)
    if (twice !== undefined) return wrong(`two ${what} of '${String(id)}' are called '${twice}'`)
    return value as Fields[]
  }
  for (const { id: arm, open } of listOf(arms, 'arms')) {
    if (typeof open !== 'function') wrong(`arm '${String(arm)}' of '${String(id)}' has no open()`)
  }
  for (const { id: inCase, task, payload, figures } of listOf(cases, 'cases')) {
    const where = `case '${String(inCase)}' of '${String(id)}'`
    if (!isObject(task) || typeof task['loop'] !== 'string') wrong(`${where} has no task with a loop`)
    if (!isObject(payload) || !Array.isArray(payload['calls'])) wrong(`${where} has no payload with calls`)
    if (!Array.isArray(figures) || figures.length === 0) wrong(`${where} has no figures`)
  }
  return { title: String(id), about: '', rows: 'cases', ...given } as unknown as Scenario
}
