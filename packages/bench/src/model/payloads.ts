// The payloads: real calls and documents with their expected answers, as plain data, which can be posted to a thread, and those of a user: a document
// or bytes from a file, or the values that a module makes.
import { mean } from 'd3-array'
import { readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { formatBytes, UsageError } from '../shared/text.js'

export interface Call {
  command: string
  /** Named arguments. With `bytes`, their JSON is sent as UTF-8, or the bytes that they are as base64. */
  args: unknown
  /** The expected answer, in the form of `args`. */
  expected: unknown
  bytes?: boolean | 'base64'
}

export interface Payload {
  id: string
  title: string
  /** Sent one after the other, for instance several documents of one kind. */
  calls: readonly Call[]
}

const MIB = 2 ** 20

const require = createRequire(import.meta.url)

const payload = (id: string, title: string, call: Call): Payload => ({ id, title, calls: [call] })

export const usualCall: Payload = payload('usual', '{ name, n, tags[3] }', {
  command: 'greet',
  args: { name: 'World', n: 1, tags: ['red', 'green', 'blue'] },
  expected: 'Hello, World!',
})

const echo = (id: string, title: string, documents: readonly unknown[]): Payload => ({
  id,
  title,
  calls: documents.map(document => ({ command: 'echo', args: document, expected: document })),
})

/** A document as bytes, which no side parses. */
const echoBytes = (id: string, title: string, document: unknown): Payload =>
  payload(id, title, { command: 'echo_bytes', args: document, expected: document, bytes: true })

/** JSON adds two quotes to the text. */
export const mebibyte = (): Payload => echoBytes('mebibyte', '1 MiB of bytes', 'x'.repeat(MIB - 2))

/** 100 bytes of JSON, which come back. */
export const smallCall: Payload = echo('small', '{ name, n, tags[3], note }', [
  { ...(usualCall.calls[0]!.args as object), note: 'a call of a hundred bytes of JSON sent' },
])

/** All published examples of a GitHub webhook event: nested JSON, as from a usual web API. */
export function githubPullRequests(): Payload {
  const events = require('@octokit/webhooks-examples') as { name: string; examples: unknown[] }[]
  const { examples } = events.find(({ name }) => name === 'pull_request')!
  return echo('github-pull-request', 'GitHub pull request', examples)
}

/** The Chrome DevTools protocol: one large document of many small objects. */
export const devtoolsProtocol = (): Payload => echo('devtools', 'DevTools protocol', [readProtocol()])

const readProtocol = (): object => ({
  browser: require('devtools-protocol/json/browser_protocol.json') as unknown,
  js: require('devtools-protocol/json/js_protocol.json') as unknown,
})

/** Bytes as base64 in a document, as JSON-RPC sends them. */
export const asText = ({ id, title, calls }: Payload): Payload => ({
  id: `${id}-as-text`,
  title,
  calls: calls.map(call => {
    if (!call.bytes) return call
    const args = {
      data: call.bytes === 'base64' ? call.args : Buffer.from(JSON.stringify(call.args)).toString('base64'),
    }
    return { command: 'echo', args, expected: args }
  }),
})

/** A message of this size, for ciphers. */
export const messageOf = (bytes: number): Payload => echo(`bytes-${bytes}`, 'text', ['x'.repeat(bytes - 2)])

/** The same arguments as bytes, which no side parses. */
export const asBytes = ({ id, title, calls }: Payload): Payload => ({
  id: `${id}-as-bytes`,
  title,
  calls: calls.map(({ bytes = true, ...call }) => ({ ...call, bytes, command: 'echo_bytes' })),
})

export function payloadBytes({ calls }: Payload): number {
  const getSize = ({ args, bytes }: Call): number =>
    bytes === 'base64' ? Buffer.byteLength(args as string, 'base64') : Buffer.byteLength(JSON.stringify(args))
  return Math.round(mean(calls, getSize) ?? 0)
}

const MODULES = ['.mjs', '.js', '.cjs', '.mts', '.ts']

/** Several copies are in flight at a time, in several threads. */
const MAX_BYTES = 16 * 2 ** 20

/** @throws {UsageError} if the file cannot be read or is too large, or a value is not plain data */
export async function loadUserPayloads(file: string): Promise<Payload[]> {
  try {
    const path = resolve(file)
    if (MODULES.includes(extname(file))) return await loadModule(path)
    checkSize(basename(file), (await stat(path)).size)
    const bytes = await readFile(path)
    const value: unknown = extname(file) === '.json' ? JSON.parse(bytes.toString()) : bytes
    return [createPayload(basename(file), value)]
  } catch (error) {
    throw new UsageError(`--payload ${file}: ${(error as Error).message}`)
  }
}

/** `cases` are documents and bytes, which go there and back, and `args` are named arguments of calls. */
async function loadModule(path: string): Promise<Payload[]> {
  const module = (await import(pathToFileURL(path).href)) as Partial<Record<'cases' | 'args', unknown>>
  const named = (['cases', 'args'] as const).flatMap(group =>
    Object.entries(module[group] ?? {}).map(([name, create]) => ({ group, name, create: create as unknown })),
  )
  if (named.length === 0) throw new Error('Export `cases` or `args`: an object of functions that return a value each')
  const payloads: Payload[] = []
  for (const { group, name, create } of named) {
    if (typeof create !== 'function') throw new Error(`${group}.${name} is not a function that returns a value`)
    const value = await Promise.resolve()
      .then(() => (create as () => unknown)())
      .catch((error: unknown) => {
        throw new Error(`${group}.${name} failed: ${error instanceof Error ? error.message : String(error)}`)
      })
    if (group === 'args' && !isPlainObject(value))
      throw new Error(`args.${name} must return an object of named arguments`)
    payloads.push(createPayload(name, value))
  }
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
  if (ArrayBuffer.isView(value)) return toBytes(id, name, Buffer.from(value.buffer, value.byteOffset, value.byteLength))
  if (value instanceof ArrayBuffer) return toBytes(id, name, Buffer.from(value))
  checkPlain(name, value)
  // The arguments of a call are an object.
  const payload = echo(id, name, [isPlainObject(value) ? value : { value }])
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

/** Bytes within a message would need an encoding of their own. */
function toBytes(id: string, title: string, bytes: Buffer): Payload {
  checkSize(title, bytes.length)
  if (bytes.length === 0) throw new Error(`'${title}' is empty`)
  const { calls } = echoBytes(id, title, bytes.toString('base64'))
  return { id, title, calls: calls.map(call => ({ ...call, bytes: 'base64' })) }
}
