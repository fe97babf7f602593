// The places of all options, for hints at misspelt and misplaced ones. They are listed only for an error, from the schemas.
import { BusError } from '@sallyport/protocol/internal/errors'
import * as v from 'valibot'
import { busSchema, resumeSchema, runSchema } from './schema.js'

type Part = v.GenericSchema
type Message = v.ErrorMessage<v.BaseIssue<unknown>> | undefined

/** The schemas that hold others. */
type Nested =
  | v.OptionalSchema<Part, undefined>
  | v.NullishSchema<Part, undefined>
  | v.LazySchema<Part>
  | v.ArraySchema<Part, Message>
  | v.RecordSchema<v.GenericSchema<string>, Part, Message>
  | v.UnionSchema<Part[], Message>
  | v.VariantSchema<string, v.VariantOptions<string>, Message>
  | v.StrictObjectSchema<v.ObjectEntries, Message>

/** Lists the options in a schema with their places, such as `frontends.<label>.allow`. */
function listOptions(part: Part, place: string): string[] {
  const inPipe = 'pipe' in part ? (part as v.SchemaWithPipe<[Part, ...Part[]]>).pipe.slice(1) : []
  const found = inPipe.filter(({ kind }) => kind === 'schema').flatMap(each => listOptions(each, place))
  return [...listNested(part as Nested, place), ...found]
}

function listNested(schema: Nested, place: string): string[] {
  switch (schema.type) {
    case 'optional':
    case 'nullish':
      return listOptions(schema.wrapped, place)
    case 'lazy':
      // It chooses the form of an object for an object.
      return listOptions(schema.getter({ module: undefined }), place)
    case 'array':
      return listOptions(schema.item, `${place}[…]`)
    case 'record':
      return listOptions(schema.value, `${place}.<label>`)
    case 'union':
    case 'variant':
      return schema.options.flatMap(option => listOptions(option, place))
    case 'strict_object':
      return Object.entries(schema.entries).flatMap(([name, entry]) => {
        const at = place === '' ? name : `${place}.${name}`
        return [at, ...listOptions(entry as Part, at)]
      })
    default:
      return []
  }
}

const getDepth = (place: string): number => place.split('.').length

/** Returns the places of all options, outer places first. */
export const getOptionPlaces = (): readonly string[] =>
  [...new Set(listOptions(busSchema, ''))].toSorted((a, b) => getDepth(a) - getDepth(b))

/** Returns the places of the options of `bus.run`, and of those that it does not have. */
export const getRunPlaces = (): readonly string[] => [...listOptions(runSchema, ''), ...getOptionPlaces()]

/** Returns the places of the options of `bus.resume`, and of those that it does not have. */
export const getResumePlaces = (): readonly string[] => [...listOptions(resumeSchema, ''), ...getOptionPlaces()]

/** @param forms - the values of an option and of Tauri's form of it, by place @throws {BusError} InvalidParams if both are given */
export function refuseBoth(where: string, forms: Readonly<Record<string, unknown>>): void {
  const places = Object.keys(forms)
  if (places.some(place => forms[place] === undefined)) return
  const text = `${places.join(' and ')} were both given, and set the same. Remove one of them`
  throw new BusError('InvalidParams', `${where}: ${text}`)
}
