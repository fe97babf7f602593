// The arguments of a tool as one object. The services of models refuse a schema with `oneOf`, `anyOf`, `allOf` or `$ref` at its root, so clients drop such
// a tool, or all of them. The object takes more than the schema, and the command checks its arguments itself. A member has what the variants that name it say.
import type { JsonSchema } from '@sallyport/core/internal'
import { isPlainObject } from '@sallyport/protocol/internal/util'

interface Members {
  readonly properties: JsonSchema
  readonly required: readonly string[]
}

const ANY: Members = { properties: {}, required: [] }
/** A schema of others can refer to itself, or be large. */
const MAX_LEVELS = 16

export function toObjectSchema(schema: JsonSchema = {}): JsonSchema & { readonly type: 'object' } {
  const { $ref, allOf, anyOf, oneOf, additionalProperties: _, unevaluatedProperties: _other, ...rest } = schema
  if ([$ref, allOf, anyOf, oneOf].every(each => each === undefined)) return { ...schema, type: 'object' }
  /** A union that contains itself gains nothing by that. */
  const seen = new Map<object, Members | undefined>()
  /** Returns the members of the objects that a part of the schema takes. `undefined` if it takes none. */
  const read = (part: unknown, levels: number): Members | undefined => {
    if (!isPlainObject(part) || levels === 0) return ANY
    if (seen.has(part)) return seen.get(part)
    seen.set(part, undefined)
    const toList = (key: string): unknown[] => [part[key] ?? []].flat()
    const readAll = (parts: readonly unknown[]): (Members | undefined)[] => parts.map(each => read(each, levels - 1))
    const all = readAll([...toList('$ref').map(reference => follow(schema, String(reference))), ...toList('allOf')])
    const unions = ['anyOf', 'oneOf'].filter(key => part[key] !== undefined).map(key => readAll(toList(key)))
    for (const union of unions) all.push(join(union.filter(isMembers), 'anyOf'))
    const { type = 'object', properties } = part
    if (![type].flat().includes('object') || !all.every(isMembers)) return undefined
    const own = { properties: isPlainObject(properties) ? properties : {}, required: toList('required').filter(isText) }
    const members = join([own, ...all], 'allOf')
    seen.set(part, members)
    return members
  }
  return { ...rest, type: 'object', ...(read(schema, MAX_LEVELS) ?? ANY) }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isMembers = (members: Members | undefined): members is Members => members !== undefined

function follow(root: JsonSchema, reference: string): unknown {
  const [start, ...steps] = reference.split('/').map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const enter = (schema: unknown, step: string): unknown =>
    isPlainObject(schema) && Object.hasOwn(schema, step) ? schema[step] : undefined
  return start === '#' ? steps.reduce(enter, root) : undefined
}

function join(parts: readonly Members[], keyword: 'allOf' | 'anyOf'): Members | undefined {
  if (parts.length === 0) return undefined
  const names = new Set(parts.flatMap(({ properties }) => Object.keys(properties)))
  const isRequired = (name: string): boolean => keyword === 'allOf' || parts.every(part => part.required.includes(name))
  const toMember = (name: string): [string, unknown] => {
    const found = parts.flatMap(({ properties }) => (Object.hasOwn(properties, name) ? [properties[name]] : []))
    return [name, merge([...new Map(found.map(each => [JSON.stringify(each), each])).values()], keyword)]
  }
  const required = [...new Set(parts.flatMap(part => part.required))].filter(isRequired)
  return { properties: Object.fromEntries([...names].map(toMember)), required }
}

/** The member that tells variants apart has all of their values. */
function merge(schemas: readonly unknown[], keyword: 'allOf' | 'anyOf'): unknown {
  if (schemas.length === 1) return schemas[0]
  const all = schemas.map(schema => (isPlainObject(schema) ? schema : {}))
  const values = all.map(each => (each['const'] === undefined ? each['enum'] : [each['const']]))
  if (keyword === 'allOf' || !values.every(Array.isArray)) return { [keyword]: schemas }
  const [type, ...others] = new Set(all.map(each => each['type']))
  return { ...(type !== undefined && others.length === 0 && { type }), enum: [...new Set(values.flat())] }
}
