// Reads JSON that others wrote, with the file and the key of a mistake.
import { decodeText, parseJson as parseText } from '@sallyport/core/internal'
import { readFile, stat } from 'node:fs/promises'
import semver from 'semver'
import * as v from 'valibot'
import { PluginError, type PluginErrorCode } from './errors.js'
import type { RequestedPermission } from './rights.js'

/** Of each file. */
export const MAX_BYTES: number = 1024 * 1024
/** Of the permissions of a plugin: what is granted has to fit into the file of grants, beside that of others. */
const MAX_PERMISSIONS = 16_384

const values = v.optional(v.array(v.unknown()))
const name = v.pipe(v.string(), v.nonEmpty(), v.maxLength(200))
export const permissionsSchema: v.GenericSchema<unknown, RequestedPermission[]> = v.pipe(
  v.array(
    v.union(
      [name, v.strictObject({ permission: name, allow: values, deny: values })],
      'must be the name of a permission, or { permission, allow, deny }',
    ),
    'must be an array',
  ),
  v.maxLength(200, 'must have at most 200 entries'),
  v.check(
    entries => JSON.stringify(entries).length <= MAX_PERMISSIONS,
    `must have at most ${MAX_PERMISSIONS} characters`,
  ),
)

export const isVersion = (value: unknown): boolean => semver.valid(value as string) !== null

export const describeKeys =
  (keys: object) =>
  ({ expected }: { expected: string | null }): string => {
    if (expected === 'never') return `this key is not known: use ${Object.keys(keys).join(', ')}`
    return expected === 'Object' ? 'must be an object' : 'is missing'
  }

/** @throws {PluginError} if the file is not a regular one, or too large. A missing file is Node's error */
export async function readText(file: string, code: PluginErrorCode): Promise<string> {
  const info = await stat(file)
  // A pipe would never end.
  if (!info.isFile()) throw new PluginError(code, 'must be a file', { file })
  if (info.size > MAX_BYTES) throw new PluginError(code, `must be at most ${MAX_BYTES} bytes`, { file })
  const bytes = await readFile(file)
  try {
    return decodeText(bytes)
  } catch (cause) {
    throw new PluginError(code, `must be UTF-8: ${(cause as Error).message}`, { file })
  }
}

export function parseJson(text: string, file: string, code: PluginErrorCode): unknown {
  try {
    return parseText(text, (key, member: unknown) => {
      if (key === '__proto__') throw new PluginError(code, 'this key is not allowed', { file, key })
      return member
    })
  } catch (cause) {
    if (cause instanceof PluginError) throw cause
    throw new PluginError(code, cause instanceof RangeError ? 'is nested too deeply' : (cause as Error).message, {
      file,
    })
  }
}

/** Returns the output of the schema. @throws {PluginError} with the first mistake */
export function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  code: PluginErrorCode,
  file?: string,
  toKey: (key: string) => string = key => key,
): v.InferOutput<Schema> {
  const { issues, output, success } = v.safeParse(schema, value)
  if (success) return output
  const key = toKey(v.getDotPath(issues[0]) ?? '')
  throw new PluginError(code, issues[0].message, { file, key })
}
