// The payloads of a user: a document or bytes from a file, or the values that a module makes.
import { readFile } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from '../shared/text.js'
import { echo, echoBytes, type Payload } from './payloads.js'

type Values = Readonly<Record<string, () => unknown>>

/** What a module exports. */
interface PayloadModule {
  /** Documents and bytes, which go there and back. */
  cases?: Values
  /** Named arguments of calls. */
  args?: Values
}

const MODULES = ['.mjs', '.js', '.cjs', '.mts', '.ts']

/** @throws {UsageError} if the file cannot be read, or a module exports no values */
export async function loadUserPayloads(file: string): Promise<Payload[]> {
  try {
    const path = resolve(file)
    if (MODULES.includes(extname(file))) return await loadModule(path)
    const bytes = await readFile(path)
    const value: unknown = extname(file) === '.json' ? JSON.parse(bytes.toString()) : bytes
    return [await createPayload(basename(file), () => value)]
  } catch (error) {
    throw new UsageError(`--payload ${file}: ${(error as Error).message}`)
  }
}

async function loadModule(path: string): Promise<Payload[]> {
  const { cases = {}, args = {} } = (await import(pathToFileURL(path).href)) as PayloadModule
  const entries = Object.entries({ ...cases, ...args })
  if (entries.length === 0) throw new Error('Export `cases` or `args`: an object of functions that return a value each')
  const payloads = await Promise.all(entries.map(([name, create]) => createPayload(name, create)))
  if (new Set(payloads.map(({ id }) => id)).size < entries.length)
    throw new Error('Two names are the same but for their signs')
  return payloads
}

async function createPayload(name: string, create: () => unknown): Promise<Payload> {
  const value = await create()
  const id = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    const bytes = ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
    return toBytes(id, name, Buffer.from(bytes as ArrayBuffer))
  }
  if (JSON.stringify(value) === undefined) throw new Error(`'${name}' has no value that JSON can contain`)
  // The arguments of a call are an object.
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return echo(id, name, [isObject ? value : { value }])
}

/** Bytes within a message would need an encoding of their own. */
function toBytes(id: string, title: string, bytes: Buffer): Payload {
  const { calls } = echoBytes(id, title, bytes.toString('base64'))
  return { id, title, calls: calls.map(call => ({ ...call, bytes: 'base64' })) }
}
