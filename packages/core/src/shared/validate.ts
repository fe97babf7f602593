// Checks options, files and arguments against valibot schemas. An error names the place of the mistake and the nearest valid name.
import { BusError, createUnknownOptionError, didYouMean } from '@sallyport/protocol/internal/errors'
import { isObject } from '@sallyport/protocol/internal/util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as v from 'valibot'

type Issue = v.BaseIssue<unknown>

/** A place in a file, or in an option that holds what a file could. */
export interface Place {
  readonly from: string
  /** `capabilities[1]`, `permission[0]`; nothing for the whole file. */
  readonly at?: string
}

/** Returns the error for a mistake at a place, or at a member of it: `permissions[2].identifier`. */
export function mistake(place: Place, member: string, text: string): BusError {
  const at = joinPath(place.at ?? '', member)
  const where = at === '' ? place.from : `${place.from}: ${at}`
  return new BusError('InvalidParams', `${where}: ${text}`)
}

/**
 * @internal Returns the output of `schema` for `value`. @throws {BusError} InvalidParams
 * @param where - the function whose options these are, the path of a file, or a place in a file
 * @param getNames - returns valid names for an error, of options with the places where they belong: `app.security.capabilities`
 */
export function check<S extends v.GenericSchema>(
  where: string | Place,
  schema: S,
  value: unknown,
  getNames: () => readonly string[] = () => listOptions(schema),
): v.InferOutput<S> {
  const [inherited] = Object.keys(Object.prototype)
  if (inherited !== undefined) {
    const rule = 'which each object inherits. Add it with Object.defineProperty, which makes it non-enumerable'
    const text = `Object.prototype has the enumerable member ${JSON.stringify(inherited)}, ${rule}`
    throw new BusError('InvalidParams', `${typeof where === 'string' ? where : where.from}: ${text}`)
  }
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const issue = getFirstIssue(result.issues)
  if (typeof where !== 'string') throw toFileError(where, issue, getNames())
  throw toOptionError(where, issue, value, getNames())
}

/** As `check`, but no error repeats a value, which might be a secret. @throws {BusError} InvalidParams */
export const checkSecretOptions = <S extends StandardSchemaV1>(
  where: string,
  schema: S,
  options: unknown,
): StandardSchemaV1.InferOutput<S> => check(where, secret(schema as unknown as v.GenericSchema), options)

/** @internal The default of `max` is the greatest delay of a timer in Node. */
export const integer = (what: string, min: number, max: number = 2 ** 31 - 1): v.GenericSchema<number> =>
  v.pipe(v.number(what), v.integer(what), v.minValue(min, what), v.maxValue(max, what))

/** @internal */
export const anyObject = v.custom<object>(isObject, 'an object')
/** @internal */
export const anyFunction = v.custom<(...args: never[]) => unknown>(value => typeof value === 'function', 'a function')

/** What schemas of valibot have that hold others. */
interface Part {
  readonly type: string
  readonly wrapped?: Part
  readonly item?: Part
  readonly value?: Part
  readonly options?: readonly (Part | string)[]
  readonly entries?: Readonly<Record<string, Part>>
  readonly pipe?: readonly Part[]
  getter?(value: unknown): Part
}

/** @internal Lists the options in a schema with their places, such as `frontends.<label>.allow`. They are listed only for an error. */
export const listOptions = (schema: v.GenericSchema): string[] => listParts(schema, '')

function listParts(part: Part, place: string): string[] {
  const { type, wrapped, item, value, options = [], entries = {}, pipe = [] } = part
  // A lazy schema chooses the form of an object for an object.
  const parts = [wrapped, part.getter?.({ module: undefined }), ...options, ...pipe.slice(1)]
  const found = parts.flatMap(each => (typeof each === 'object' ? listParts(each, place) : []))
  if (item) found.push(...listParts(item, `${place}[…]`))
  if (value && type === 'record') found.push(...listParts(value, `${place}.<label>`))
  if (type !== 'strict_object') return found
  return Object.entries(entries).flatMap(([name, entry]) => {
    const at = place === '' ? name : `${place}.${name}`
    return [at, ...listParts(entry, at)]
  })
}

/** An unknown key comes first: it might be the misspelt name of a missing one. */
const getFirstIssue = ([first, ...others]: [Issue, ...Issue[]]): Issue => [first, ...others].find(isUnknownKey) ?? first

const isUnknownKey = ({ type, expected }: Issue): boolean => type === 'strict_object' && expected === 'never'

const isMissing = ({ received }: Issue): boolean => received === 'undefined'

function toFileError(place: Place, issue: Issue, names: readonly string[]): BusError {
  const path = getPath(issue)
  if (isUnknownKey(issue)) {
    const name = String(path.pop())
    return mistake(
      place,
      formatPath(path),
      `unknown key ${JSON.stringify(name)}${suggestName(name, names.map(getName))}`,
    )
  }
  const text = isMissing(issue) ? 'is missing' : `must be ${issue.message}${describeReceived(issue)}`
  return mistake(place, formatPath(path), text)
}

function toOptionError(where: string, issue: Issue, options: unknown, names: readonly string[]): BusError {
  const path = formatOption(issue)
  if (!isUnknownKey(issue)) return new BusError('InvalidParams', describeMistake(where, path, issue))
  if (!(options instanceof URL)) {
    return createUnknownOptionError(where, path, hintAtSibling(issue, names) ?? suggestOption(issue, names))
  }
  const text = `${where}: the options must be an object${describeReceived(issue, options)}`
  return new BusError('InvalidParams', text)
}

function describeMistake(where: string, path: string, issue: Issue): string {
  const subject = path === '' ? where : `${where}: ${path}`
  if (isMissing(issue)) {
    if (path === '' && !where.includes(':'))
      return `${where}: the options are missing${where === 'createBus' ? `, as in ${EXAMPLE}` : ''}`
    if (path === 'core') return `${subject} is missing, as in ${EXAMPLE}`
    return `${subject} is missing${issue.type === 'variant' ? `: it must be ${issue.message}` : ''}`
  }
  return `${subject} must be ${issue.message}${describeReceived(issue)}`
}

/** Leaves out what `secret` hides, and logins and queries of addresses. */
function describeReceived({ input, received }: Issue, value = input): string {
  let text = received?.replace(/:\/\/[^/"]*@/, '://')
  if (value instanceof URL) {
    text = JSON.stringify(Object.assign(new URL(value), { username: '', password: '', search: '' }).href)
  }
  return text ? `: got ${text}` : ''
}

/** Returns a hint for a name that is valid in its place with another `kind` or `use` next to it. */
function hintAtSibling({ path, message }: Issue, places: readonly string[]): string | undefined {
  const [parent, member] = (path ?? []).slice(-2)
  const tail = `.${String(parent?.key)}.${String(member?.key)}`
  const variant = Object.entries(Object(member?.input)).find(([key]) => key === 'kind' || key === 'use')
  if (!variant || !places.some(place => `.${place}`.endsWith(tail))) return undefined
  return ` with ${variant[0]}: ${JSON.stringify(variant[1])}${message.startsWith('use ') ? `: ${message}, or another ${variant[0]}` : ''}`
}

/** Returns a hint: a similar name, the names that an entry of an array has, or the place of a valid name. */
function suggestOption(issue: Issue, places: readonly string[]): string {
  const path = getPath(issue)
  const name = String(path.at(-1))
  // In the form of `getOptionPlaces`, with which labels are compared as they are.
  const parent = getParent(formatPath(path).replaceAll(/\[\d+\]/g, '[…]'))
  // The options of a frontend have no parent in `bus.open`.
  const [, ofKind] = /^use (.+)$/.exec(issue.message) ?? []
  const inPlace =
    ofKind?.split(', ') ??
    places
      .filter(each => getParent(each) === parent || (parent !== '' && getParent(each).endsWith(`.${parent}`)))
      .map(getName)
  const alias = ALIASES.get(name)
  if (alias !== undefined && places.some(each => getName(each) === alias)) return `: use ${alias}`
  const similar = suggestName(name, inPlace)
  if (similar) return similar
  const use = parent !== '' && inPlace.length > 0 ? `: use ${[...new Set(inPlace)].join(', ')}` : undefined
  if (parent.endsWith('[…]') && use !== undefined) return use
  const place = places.find(each => getName(each) === name)
  if (place === undefined) return use ?? suggestName(name, places.map(getName))
  return place === name ? ': it is an option of createBus' : `: it belongs at ${place}`
}

const EXAMPLE = 'createBus({ core: defineCore({ commands: { greet: () => "Hello" } }) })'

/** Names that options have in other libraries. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['permissions', 'allow'],
  ['plugins', 'frontends'],
  ['commands', 'core'],
])

const getName = (place: string): string => place.slice(place.lastIndexOf('.') + 1)
const getParent = (place: string): string => place.slice(0, Math.max(0, place.lastIndexOf('.')))

/** The name itself is among `names` if it is valid in another place. */
function suggestName(name: string, names: readonly string[]): string {
  const others = names.filter(each => each !== name)
  return didYouMean(name, others)
}

const getPath = ({ path }: Issue): unknown[] => (path ?? []).map(({ key }) => key)

const formatOption = (issue: Issue): string => formatPath(getPath(issue))

const formatPath = (path: readonly unknown[]): string =>
  path.reduce<string>((text, key) => joinPath(text, typeof key === 'number' ? `[${key}]` : String(key)), '')

const joinPath = (outer: string, inner: string): string =>
  outer === '' || inner === '' || inner.startsWith('[') ? outer + inner : `${outer}.${inner}`

export const isInline = (value: unknown): value is object => isObject(value) && !(value instanceof URL)

/** @internal */
export const boolean = v.boolean('true or false')
/** @internal */
export const string = v.string('a string')
/** @internal An object with any keys, but not an array, which valibot accepts as an object. */
export const table = v.custom<Record<string, unknown>>(isInline, 'an object')

/** @internal Marks what holds a secret: no error repeats a value of it, or a name in whose place the value might be. */
export const secret = <Schema extends v.GenericSchema>(schema: Schema): Schema => ({
  ...schema,
  '~run'(dataset, config) {
    const result = schema['~run'](dataset, config)
    for (const issue of result.issues ?? []) {
      if (issue.received !== 'undefined') Object.assign(issue, { received: '' })
      const member = issue.path?.at(-1)
      if (issue.kind === 'validation' && member?.origin === 'key') Object.assign(member, { key: '…' })
    }
    return result
  },
})

/** @internal Chooses the schema by the value, so that an error names what is wrong in the intended form. */
export const inlineOr = <Inline extends v.GenericSchema, Other extends v.GenericSchema>(inline: Inline, other: Other) =>
  v.lazy(value => (isInline(value) ? inline : other)) as v.LazySchema<Inline | Other>

/** @internal Entries for each member of a type: one that is missing or misspelt does not compile. */
export type EntriesOf<Options> = Readonly<Record<keyof Options, v.GenericSchema>>

/** @internal An object with these keys alone. */
export const strictOptions = <Entries extends v.ObjectEntries>(entries: Entries) => v.strictObject(entries, 'an object')
