// Whether a server keeps to its own output schemas. The host is told, and nobody is refused: the tool has run.

/** References and members that are followed. */
const MAX_LEVELS = 8

/**
 * Returns how a result differs from what its tool has declared. Types, references and required members alone are looked at: a pattern of others could take
 * the host for ever.
 */
export function findMismatch(
  schema: unknown,
  value: unknown,
  place = 'structuredContent',
  root: unknown = schema,
  levels: number = MAX_LEVELS,
): string | undefined {
  if (!isRecord(schema) || levels === 0) return undefined
  const { $ref: reference, type, properties, required } = schema
  if (value === undefined) return `${place} is missing`
  if (typeof reference === 'string') {
    const target = resolve(root, reference)
    if (target === undefined) return `its schema has the reference ${JSON.stringify(reference)}, which leads nowhere`
    return findMismatch(target, value, place, root, levels - 1)
  }
  const types = [type].flat().filter(each => typeof each === 'string')
  if (types.length > 0 && !types.some(each => isOfType(value, each))) return `${place} is not of type ${types.join()}`
  if (!isRecord(value)) return undefined
  const missing = Array.isArray(required) && required.find(name => !Object.hasOwn(value, String(name)))
  if (missing) return `${place}.${missing} is missing`
  for (const [name, member] of Object.entries(isRecord(properties) ? properties : {})) {
    if (!Object.hasOwn(value, name)) continue
    const mismatch = findMismatch(member, value[name], `${place}.${name}`, root, levels - 1)
    if (mismatch !== undefined) return mismatch
  }
  return undefined
}

function resolve(root: unknown, reference: string): unknown {
  const [base, ...names] = reference.split('/')
  if (base !== '#') return undefined
  const unescape = (name: string): string => name.replaceAll('~1', '/').replaceAll('~0', '~')
  return names.map(unescape).reduce((at: unknown, name) => (isRecord(at) ? at[name] : undefined), root)
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isRecord(value)
  if (type === 'integer') return Number.isInteger(value)
  return typeof value === type
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
