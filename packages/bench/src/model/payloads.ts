// The payloads: real calls and documents with their expected answers, as plain data, which can be posted to a thread, and those of a user: a document
// or bytes from a file, or the values that a module makes.
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { formatBytes } from '#measure/text'
import { mean } from 'd3-array'
import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { brotliDecompressSync } from 'node:zlib'

/** Bytes are sent by `echo_bytes`, and values as named arguments. */
export interface Call {
  command: string
  args: unknown
  /** The expected answer, in the form of `args`. */
  expected: unknown
}

export interface Payload {
  id: string
  title: string
  /** Sent one after the other, for instance several documents of one kind. */
  calls: readonly Call[]
}

const MIB = 2 ** 20

let documents: { pullRequests: object[]; devtools: object } | undefined
/** Their sources are in data/LICENSES.txt. */
const readDocuments = (): NonNullable<typeof documents> =>
  (documents ??= JSON.parse(
    brotliDecompressSync(readFileSync(new URL('../../data/documents.json.br', import.meta.url))).toString(),
  ))

const USUAL = { name: 'World', n: 1, tags: ['red', 'green', 'blue'] }

export const usualCall: Payload = {
  id: 'usual',
  title: '{ name, n, tags[3] }',
  calls: [{ command: 'greet', args: USUAL, expected: 'Hello, World!' }],
}

const toEcho = (value: unknown): Call => ({
  command: value instanceof Uint8Array ? 'echo_bytes' : 'echo',
  args: value,
  expected: value,
})

const echo = (id: string, title: string, ...values: unknown[]): Payload => ({ id, title, calls: values.map(toEcho) })

export const mebibyte = (): Payload => echo('mebibyte', '1 MiB of bytes', Buffer.alloc(MIB, 'x'))

/** 100 bytes of JSON, which come back. */
export const smallCall: Payload = echo('small', '{ name, n, tags[3], note }', {
  ...USUAL,
  note: 'a call of a hundred bytes of JSON sent',
})

/** All published examples of a GitHub webhook event: nested JSON, as from a usual web API. */
export const githubPullRequests = (): Payload =>
  echo('github-pull-request', 'GitHub pull request', ...readDocuments().pullRequests)

/** The Chrome DevTools protocol: one large document of many small objects. */
export const devtoolsProtocol = (): Payload => echo('devtools', 'DevTools protocol', readDocuments().devtools)

/** A document of one kind in any size: so many of the protocol's small definitions as fit. */
export function definitions(bytes: number): Payload {
  const { browser, js } = readDocuments().devtools as Record<'browser' | 'js', { domains: Record<string, object[]>[] }>
  const all = [...browser.domains, ...js.domains].flatMap(({ types = [] }) => types)
  const small = all.map(each => ({ each, size: JSON.stringify(each).length + 1 })).filter(({ size }) => size < 128)
  const taken: object[] = []
  for (let left = bytes - 20, at = 0; left > small[at]!.size; at = (at + 1) % small.length) {
    taken.push(small[at]!.each)
    left -= small[at]!.size
  }
  return echo(`definitions-${bytes}`, 'DevTools definitions', { definitions: taken })
}

/** A message of this size, for ciphers. */
export const messageOf = (bytes: number): Payload => echo(`bytes-${bytes}`, 'text', Buffer.alloc(bytes, 'x'))

/** Documents as the bytes of their JSON, which no side parses. */
export const asBytes = (payload: Payload): Payload => ({
  ...payload,
  calls: payload.calls.map(({ args }) => toEcho(toBytes(args))),
})

const toBytes = (args: unknown): Uint8Array => (args instanceof Uint8Array ? args : Buffer.from(JSON.stringify(args)))

export const payloadBytes = ({ calls }: Payload): number =>
  Math.round(mean(calls, ({ args }) => toBytes(args).byteLength) ?? 0)

const MODULES = ['.mjs', '.js', '.cjs', '.mts', '.ts']

/** Several copies are in flight at a time, in several threads. */
const MAX_BYTES = 16 * MIB

/** @throws {UsageError} if the file cannot be read or is too large, or a value is not plain data */
export async function loadUserPayloads(file: string): Promise<Payload[]> {
  try {
    const path = resolve(file)
    if (MODULES.includes(extname(file))) return await loadModule(path)
    checkSize(basename(file), (await stat(path)).size)
    const bytes = await readFile(path)
    const value: unknown = extname(file) === '.json' ? JSON.parse(bytes.toString().replace(/^\uFEFF/, '')) : bytes
    return [createPayload(basename(file), value)]
  } catch (error) {
    throw new UsageError(`--payload ${file}: ${(error as Error).message}`)
  }
}

async function loadModule(path: string): Promise<Payload[]> {
  const { cases = {} }: { cases?: Record<string, unknown> } = await import(pathToFileURL(path).href)
  const payloads: Payload[] = []
  for (const [name, create] of Object.entries(cases)) {
    if (typeof create !== 'function') throw new Error(`cases.${name} is not a function that returns a value`)
    const value = await Promise.resolve()
      .then(() => (create as () => unknown)())
      .catch((error: unknown) => {
        throw new Error(`cases.${name} failed: ${error instanceof Error ? error.message : String(error)}`)
      })
    payloads.push(createPayload(name, value))
  }
  if (payloads.length === 0) throw new Error('Export `cases`: an object of functions that return a value each')
  if (new Set(payloads.map(({ id }) => id)).size < payloads.length)
    throw new Error('Two names are the same but for their signs')
  return payloads
}

const isPlainObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))

function checkSize(name: string, bytes: number): void {
  if (bytes > MAX_BYTES)
    throw new Error(
      `'${name}' has ${formatBytes(bytes)}, and at most ${formatBytes(MAX_BYTES)} can be measured. Take a part of it`,
    )
}

function createPayload(name: string, value: unknown): Payload {
  const id = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  // Bytes within a message would need an encoding of their own.
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    const bytes = ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value
    checkSize(name, bytes.byteLength)
    if (bytes.byteLength === 0) throw new Error(`'${name}' is empty`)
    return echo(id, name, new Uint8Array(bytes))
  }
  checkPlain(name, value)
  // The arguments of a call are an object.
  const payload = echo(id, name, isPlainObject(value) ? value : { value })
  checkSize(name, payloadBytes(payload))
  return payload
}

/** The transports would not send the same value: JSON changes what it does not know. @throws Error unless it survives JSON */
function checkPlain(name: string, value: unknown): void {
  let copy: unknown
  try {
    copy = JSON.parse(JSON.stringify(value) ?? 'null')
  } catch (error) {
    throw new Error(`'${name}' has no JSON: ${(error as Error).message}`)
  }
  if (!isDeepStrictEqual(value, copy))
    throw new Error(
      `JSON changes ${findChange(value, copy, name)}. Return strings, finite numbers, booleans, null, lists and objects, or bytes as the whole value`,
    )
}

function findChange(value: unknown, copy: unknown, path: string): string {
  const isNested = isPlainObject(value) || Array.isArray(value)
  const parts = isNested && copy !== null && typeof copy === 'object' ? Object.keys(value) : []
  const at = (from: unknown, key: string): unknown => (from as Record<string, unknown>)[key]
  const changed = parts.find(
    key => !Object.hasOwn(copy as object, key) || !isDeepStrictEqual(at(value, key), at(copy, key)),
  )
  return changed === undefined ? path : findChange(at(value, changed), at(copy, changed), `${path}.${changed}`)
}
