// Holds what a file or an option gives against its schema: a mistake is named with its file, its place, and the nearest right
// name.
import { BusError } from '@sallyport/protocol'
import * as v from 'valibot'
import { didYouMean } from './suggest.js'

/** Where a value stands: a file or an option, and the place in it. */
export interface Place {
  readonly from: string
  /** `capabilities[1]`, `permission[0]`; none for the whole. */
  readonly at?: string
}

/** A mistake at a place, or at a member of it: `permissions[2].identifier`. */
export function mistake(place: Place, member: string, text: string): BusError {
  const at = join(place.at ?? '', member)
  return new BusError('InvalidParams', `${place.from}: ${at === '' ? '' : `${at}: `}${text}`)
}

/** @throws BusError `InvalidParams`; for an unknown key with the nearest of `keys` */
export function checkAclValue<S extends v.GenericSchema>(
  place: Place,
  schema: S,
  keys: readonly string[],
  value: unknown,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const issue = getFirstIssue(result.issues)
  const path = (issue.path ?? []).map(({ key }) => key)
  if (isUnknownKey(issue)) {
    const name = String(path.pop())
    throw mistake(place, toText(path), `unknown key ${JSON.stringify(name)}${suggestName(name, keys)}`)
  }
  if (issue.received === 'undefined') throw mistake(place, toText(path), 'is missing')
  throw mistake(place, toText(path), `must be ${issue.message}: got ${issue.received}`)
}

/** What is not there may stand there under a name that is nearly right: that is said first. */
const getFirstIssue = ([first, ...others]: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): v.BaseIssue<unknown> =>
  [first, ...others].find(isUnknownKey) ?? first

const isUnknownKey = ({ type, expected }: v.BaseIssue<unknown>): boolean =>
  type === 'strict_object' && expected === 'never'

/** Of names that are right somewhere, this one's own is not meant. */
const suggestName = (name: string, names: readonly string[]): string =>
  didYouMean(
    name,
    names.filter(each => each !== name),
  )

const toText = (path: readonly unknown[]): string =>
  path.reduce<string>((text, key) => join(text, typeof key === 'number' ? `[${key}]` : String(key)), '')

const join = (outer: string, inner: string): string =>
  outer === '' || inner === '' || inner.startsWith('[') ? outer + inner : `${outer}.${inner}`

// Holds a value against a schema; what is wrong is named, with its place and the nearest right name.

/**
 * @param where what the value is of: `createBus`, or the path of a file
 * @param places right names and where they belong, `app.security.capabilities`: for typing errors
 * @throws BusError `InvalidParams`
 */
export function checkOptions<S extends v.GenericSchema>(
  where: string,
  schema: S,
  given: unknown,
  places: readonly string[],
): v.InferOutput<S> {
  const result = v.safeParse(schema, given)
  if (result.success) return result.output
  const issue = getFirstIssue(result.issues)
  const place = formatPlace(issue)
  if (isUnknownKey(issue)) {
    // A location in the place of options.
    if (given instanceof URL) {
      throw new BusError('InvalidParams', `${where}: the options must be an object: got ${JSON.stringify(given.href)}`)
    }
    const hint = hintAtSibling(issue, places) ?? suggestOption(String(issue.path?.at(-1)?.key), places)
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
function hintAtSibling({ path }: v.BaseIssue<unknown>, places: readonly string[]): string | undefined {
  const [parent, own] = (path ?? []).slice(-2)
  const tail = `.${String(parent?.key)}.${String(own?.key)}`
  const chosen = Object.entries(Object(own?.input) as object).find(([key]) => key === 'kind' || key === 'use')
  if (!chosen || !places.some(place => `.${place}`.endsWith(tail))) return undefined
  return ` with ${chosen[0]}: ${JSON.stringify(chosen[1])}`
}

/** A right name in the wrong place, or nearly a right one. */
function suggestOption(name: string, places: readonly string[]): string {
  const nameOf = (place: string): string => place.slice(place.lastIndexOf('.') + 1)
  const right = places.find(place => nameOf(place) === name)
  return right === undefined ? suggestName(name, places.map(nameOf)) : `: it belongs at ${right}`
}

const receivedIn = ({ input, received }: v.BaseIssue<unknown>): string =>
  input instanceof URL ? JSON.stringify(input.href) : received

/** As it is written in JavaScript: `app.security.capabilities[0]`. */
function formatPlace({ path }: v.BaseIssue<unknown>): string {
  const steps = (path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
  return steps.join('').replace(/^\./, '')
}

// The shape of whole numbers, wherever options have them.

/** Of a timer in Node. */
const MAX_DELAY = 2 ** 31 - 1

export const integer = (what: string, least: number, most: number = MAX_DELAY): v.GenericSchema<number> =>
  v.pipe(v.number(what), v.integer(what), v.minValue(least, what), v.maxValue(most, what))

// What tests are given by hand is looked at before it is taken apart.

/** @throws BusError `InvalidParams`, which names what is wrong */
export function checkObject(what: string, given: unknown): void {
  if (typeof given === 'object' && given !== null) return
  throw new BusError('InvalidParams', `${what} must be an object: got ${given === null ? 'null' : typeof given}`)
}
