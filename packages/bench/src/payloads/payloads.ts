// The payloads: real calls and documents, each with the answer it must get. They are plain data, which can be posted to a thread.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

export interface Call {
  command: string
  /** Named arguments; with `bytes`, the UTF-8 of their JSON is sent. */
  args: unknown
  /** The right answer, in the same form. */
  expected: unknown
  bytes?: boolean
}

export interface Payload {
  id: string
  title: string
  /** Sent one after the other: several real documents of one kind make one payload. */
  calls: readonly Call[]
}

const MIB = 2 ** 20

/** The file of 1 KiB that the handler of `kibFile` reads. */
export const KIB_FILE: URL = new URL('../../data/kib.txt', import.meta.url)

const require = createRequire(import.meta.url)

const payload = (id: string, title: string, call: Call): Payload => ({ id, title, calls: [call] })

const GREETING = 'Hello, World!'
const ARGS = { name: 'World', n: 1, tags: ['red', 'green', 'blue'] }
const usual = (id: string, command: string): Payload =>
  payload(id, '{ name, n, tags[3] }', { command, args: ARGS, expected: GREETING })

/** `invoke('greet', { name: 'World' })`: the first call of every Tauri app. */
export const greet: Payload = payload('greet', 'greet call', {
  command: 'greet',
  args: { name: 'World' },
  expected: GREETING,
})

/** The payload of all figures about the call itself. */
export const usualCall: Payload = usual('usual', 'greet')
/** Core records when each call arrives. */
export const clockedCall: Payload = usual('clocked', 'clocked_greet')
export const kibFile = (): Payload =>
  payload('kib-file', 'a file of 1 KiB', { command: 'read_kib', args: {}, expected: readFileSync(KIB_FILE, 'utf8') })

/** Documents that come back as they were sent. */
const echo = (id: string, title: string, documents: readonly unknown[]): Payload => ({
  id,
  title,
  calls: documents.map(document => ({ command: 'echo', args: document, expected: document })),
})

/** The arguments of the usual call, which come back. */
export const usualEcho: Payload = echo('usual-echo', '{ name, n, tags[3] }', [ARGS])

/** One document as bytes, which nothing on the way has to parse. */
export const echoBytes = (id: string, title: string, document: unknown): Payload =>
  payload(id, title, { command: 'echo_bytes', args: document, expected: document, bytes: true })

/** So large that only copies and ciphers count. The text has two more characters as JSON. */
export const mebibyte = (): Payload => echoBytes('mebibyte', '1 MiB of bytes', 'x'.repeat(MIB - 2))

/** Every published example of one of GitHub's webhook events: the nested, wordy JSON of a usual web API. */
export function githubEvents(event: string): Payload {
  const events = require('@octokit/webhooks-examples') as { name: string; examples: unknown[] }[]
  const found = events.find(({ name }) => name === event)
  if (!found) throw new Error(`@octokit/webhooks-examples has no event '${event}'`)
  return echo(`github-${event.replaceAll('_', '-')}`, `GitHub ${event.replaceAll('_', ' ')}`, found.examples)
}

/** The Chrome DevTools protocol: one large document of many small objects. */
export const devtoolsProtocol = (): Payload => echo('devtools', 'DevTools protocol', [readProtocol()])
export const devtoolsBytes = (): Payload => echoBytes('devtools-bytes', 'DevTools, as bytes', readProtocol())

const readProtocol = (): object => ({
  browser: require('devtools-protocol/json/browser_protocol.json') as unknown,
  js: require('devtools-protocol/json/js_protocol.json') as unknown,
})

/** The mean size of a payload's arguments in bytes of JSON; 0 if it has no calls. */
export function payloadBytes({ calls }: Payload): number {
  const sizes = calls.map(({ args }) => Buffer.byteLength(JSON.stringify(args)))
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length))
}
