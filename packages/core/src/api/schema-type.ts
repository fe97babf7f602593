// Writes a JSON Schema as a TypeScript type. The schema can be hostile, because it might be that of a foreign server: each name and text
// in it becomes a literal or a comment, and what it expands to is bounded.
import { isPlainObject } from '@sallyport/protocol/internal/util'

/** Schemas within schemas, beyond which the type is `unknown`. */
const MAX_DEPTH = 16
/** Schemas that one type is written from, beyond which the type is `unknown`: references can multiply. */
const MAX_SCHEMAS = 1000

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\0-\u001F\u007F-\u009F\u2028\u2029]+/g

/** Writes a string as a literal of TypeScript. */
export const toLiteral = (text: string): string =>
  JSON.stringify(text)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`)

/** Writes the name of a member, in quotes if it is not an identifier. */
const toMemberName = (name: string): string => (IDENTIFIER.test(name) ? name : toLiteral(name))

/** Writes text as a comment of one line, which the text cannot end. */
export const toLineComment = (text: string): string => `/** ${withoutEnd(text.replaceAll(CONTROL, ' ').trim())} */`

/** Returns text as a doc comment of TypeScript with its lines, which the text cannot end. */
export function toDocComment(text: string): string {
  const lines = text
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map(line => withoutEnd(line.replaceAll(CONTROL, ' ').trimEnd()))
    .filter((line, index, all) => line !== '' || (index > 0 && index < all.length - 1))
  if (lines.length < 2) return `/** ${(lines[0] ?? '').trim()} */`
  return ['/**', ...lines.map(line => ` * ${line}`.trimEnd()), ' */'].join('\n')
}

const withoutEnd = (text: string): string => text.replaceAll('*/', String.raw`*\/`)

/**
 * Returns the TypeScript type of the values that a JSON Schema accepts, as text for the prompt of a model: `unknown` without a schema, and
 * for parts that have no type, or are nested too deep.
 */
export function toSchemaType(schema: unknown): string {
  let count = 0
  const write = (part: unknown, depth: number): string => {
    if (part === false) return 'never'
    if (!isPlainObject(part) || depth > MAX_DEPTH || ++count > MAX_SCHEMAS) return 'unknown'
    const inner = (each: unknown): string => write(each, depth + 1)
    if (typeof part['$ref'] === 'string') return inner(resolveReference(schema, part['$ref']))
    if ('const' in part) return toValueType(part['const'])
    if (Array.isArray(part['enum'])) return join(part['enum'].map(toValueType), ' | ')
    const alternatives = part['anyOf'] ?? part['oneOf']
    if (Array.isArray(alternatives)) return join(alternatives.map(inner), ' | ')
    if (Array.isArray(part['allOf'])) return join(part['allOf'].map(inner), ' & ')
    const { type } = part
    if (Array.isArray(type))
      return join(
        type.map(each => inner({ ...part, type: each as unknown })),
        ' | ',
      )
    if (type === 'object' || (type === undefined && isPlainObject(part['properties']))) return writeObject(part, inner)
    if (type === 'array') return writeArray(part, inner)
    if (type === 'integer') return 'number'
    return type === 'string' || type === 'number' || type === 'boolean' || type === 'null' ? type : 'unknown'
  }
  return write(schema, 0)
}

type Write = (schema: unknown) => string

function writeObject(schema: Record<string, unknown>, write: Write): string {
  const { properties, required, additionalProperties: others } = schema
  const entries = isPlainObject(properties) ? Object.entries(properties) : []
  const names: readonly unknown[] = Array.isArray(required) ? required : []
  if (entries.length === 0) {
    if (others === false) return '{}'
    return `Record<string, ${write(others)}>`
  }
  const members = entries.map(([name, property]) => {
    const { description }: { description?: unknown } = Object(property)
    const comment = typeof description === 'string' && description !== '' ? `${toLineComment(description)} ` : ''
    return `${comment}${toMemberName(name)}${names.includes(name) ? '' : '?'}: ${write(property)}`
  })
  // An index has to fit all members.
  if (others === true || isPlainObject(others)) members.push('[name: string]: unknown')
  return `{ ${members.join('; ')} }`
}

function writeArray({ prefixItems, items }: Record<string, unknown>, write: Write): string {
  if (!Array.isArray(prefixItems)) return `Array<${write(items)}>`
  const rest = items === false ? [] : [`...Array<${write(items)}>`]
  return `[${[...prefixItems.map(write), ...rest].join(', ')}]`
}

function toValueType(value: unknown): string {
  if (typeof value === 'string') return toLiteral(value)
  return value === null || typeof value === 'boolean' || typeof value === 'number' ? String(value) : 'unknown'
}

/** Joins types. The parts are in parentheses if they can contain operators themselves. */
function join(types: readonly string[], operator: ' | ' | ' & '): string {
  const parts = [...new Set(types)]
  if (parts.length === 0) return 'never'
  if (parts.length === 1) return parts[0]!
  return `(${parts.join(operator)})`
}

function resolveReference(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined
  let part = root
  for (const step of reference.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, name)) return undefined
    part = (part as Record<string, unknown>)[name]
  }
  return part
}
