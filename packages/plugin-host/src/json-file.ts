// Reads JSON that others wrote, and writes a file as a whole.
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import * as v from 'valibot'
import { PluginError, type PluginErrorCode } from './errors.js'

const MAX_BYTES = 1024 * 1024

/** @throws {PluginError} with this code for a file that is none, too large, or not JSON. A missing file is Node's error */
export async function readJson(file: string, code: PluginErrorCode): Promise<unknown> {
  const info = await stat(file)
  // A pipe would never end.
  if (!info.isFile()) throw new PluginError(code, 'must be a file', { file })
  if (info.size > MAX_BYTES) throw new PluginError(code, `must be at most ${MAX_BYTES} bytes`, { file })
  const text = await readFile(file, 'utf8')
  let forbidden: string | undefined
  let value: unknown
  try {
    value = JSON.parse(text, (key, member: unknown) => {
      if (key === '__proto__') forbidden = key
      return member
    })
  } catch (cause) {
    throw new PluginError(code, `must be JSON: ${(cause as Error).message}`, { file, cause })
  }
  if (forbidden !== undefined) throw new PluginError(code, 'this key is not allowed', { file, key: forbidden })
  return value
}

/** Returns the output of the schema. @throws {PluginError} with the code, the file and the key of the first mistake */
export function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  code: PluginErrorCode,
  file: string,
  prefix?: string,
): v.InferOutput<Schema> {
  const { issues, output, success } = v.safeParse(schema, value)
  if (success) return output
  const [issue] = issues
  const key = [prefix, v.getDotPath(issue)].filter(Boolean).join('.') || undefined
  throw new PluginError(code, issue.message, { file, key })
}

/** Replaces a file as a whole: after a crash it has its old content or its new one. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`
  try {
    await writeFile(temporary, text, { flag: 'wx', mode: 0o600, flush: true })
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
