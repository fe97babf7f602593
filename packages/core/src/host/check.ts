// Holds a value against a schema; what is wrong is named, with its place and the nearest right name.
import { BusError } from '@sallyport/protocol'
import * as v from 'valibot'
import { firstOf, isUnknownKey, nearestOf } from '../authority/check.js'

/**
 * @param where what the value is of: `createBus`, or the path of a file
 * @param places right names and where they belong, `app.security.capabilities`: for typing errors
 * @throws BusError `InvalidParams`
 */
export function check<S extends v.GenericSchema>(
  where: string,
  schema: S,
  given: unknown,
  places: readonly string[],
): v.InferOutput<S> {
  const result = v.safeParse(schema, given)
  if (result.success) return result.output
  const issue = firstOf(result.issues)
  const place = placeOf(issue)
  if (isUnknownKey(issue)) {
    // A location in the place of options.
    if (given instanceof URL) {
      throw new BusError('InvalidParams', `${where}: the options must be an object: got ${JSON.stringify(given.href)}`)
    }
    const hint = besideOf(issue, places) ?? hintOf(String(issue.path?.at(-1)?.key), places)
    throw new BusError('InvalidParams', `${where}: unknown option ${JSON.stringify(place)}${hint}`)
  }
  const at = place === '' ? where : `${where}: ${place}`
  if (issue.received === 'undefined') {
    const isOptions = place === '' && !where.includes(':')
    throw new BusError('InvalidParams', isOptions ? `${where}: the options are missing` : `${at} is missing`)
  }
  throw new BusError('InvalidParams', `${at} must be ${issue.message}: got ${receivedIn(issue)}`)
}

/** A right name in the right place, where another `kind` or `use` would have it. */
function besideOf({ path }: v.BaseIssue<unknown>, places: readonly string[]): string | undefined {
  const [parent, own] = (path ?? []).slice(-2)
  const tail = `.${String(parent?.key)}.${String(own?.key)}`
  const chosen = Object.entries(Object(own?.input) as object).find(([key]) => key === 'kind' || key === 'use')
  if (!chosen || !places.some(place => `.${place}`.endsWith(tail))) return undefined
  return ` with ${chosen[0]}: ${JSON.stringify(chosen[1])}`
}

/** A right name in the wrong place, or nearly a right one. */
function hintOf(name: string, places: readonly string[]): string {
  const nameOf = (place: string): string => place.slice(place.lastIndexOf('.') + 1)
  const right = places.find(place => nameOf(place) === name)
  return right === undefined ? nearestOf(name, places.map(nameOf)) : `: it belongs at ${right}`
}

const receivedIn = ({ input, received }: v.BaseIssue<unknown>): string =>
  input instanceof URL ? JSON.stringify(input.href) : received

/** As it is written in JavaScript: `app.security.capabilities[0]`. */
function placeOf({ path }: v.BaseIssue<unknown>): string {
  const steps = (path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
  return steps.join('').replace(/^\./, '')
}
