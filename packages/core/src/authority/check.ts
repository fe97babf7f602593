// Holds what a file or an option gives against its schema: a mistake is named with its file, its place, and the nearest right
// name.
import { BusError } from '@sallyport/protocol'
import * as v from 'valibot'
import { didYouMean } from '../guess.js'

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
export function check<S extends v.GenericSchema>(
  place: Place,
  schema: S,
  keys: readonly string[],
  value: unknown,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const issue = firstOf(result.issues)
  const path = (issue.path ?? []).map(({ key }) => key)
  if (isUnknownKey(issue)) {
    const name = String(path.pop())
    throw mistake(place, toText(path), `unknown key ${JSON.stringify(name)}${nearestOf(name, keys)}`)
  }
  if (issue.received === 'undefined') throw mistake(place, toText(path), 'is missing')
  throw mistake(place, toText(path), `must be ${issue.message}: got ${issue.received}`)
}

/** What is not there may stand there under a name that is nearly right: that is said first. */
export const firstOf = ([first, ...others]: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): v.BaseIssue<unknown> =>
  [first, ...others].find(isUnknownKey) ?? first

export const isUnknownKey = ({ type, expected }: v.BaseIssue<unknown>): boolean =>
  type === 'strict_object' && expected === 'never'

/** Of names that are right somewhere, this one's own is not meant. */
export const nearestOf = (name: string, names: readonly string[]): string =>
  didYouMean(
    name,
    names.filter(each => each !== name),
  )

const toText = (path: readonly unknown[]): string =>
  path.reduce<string>((text, key) => join(text, typeof key === 'number' ? `[${key}]` : String(key)), '')

const join = (outer: string, inner: string): string =>
  outer === '' || inner === '' || inner.startsWith('[') ? outer + inner : `${outer}.${inner}`
