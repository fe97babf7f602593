// The payloads: real calls and documents with their expected answers, as plain data, which can be posted to a thread.
import { mean } from 'd3-array'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

export interface Call {
  command: string
  /** Named arguments. With `bytes`, their JSON is sent as UTF-8. */
  args: unknown
  /** The expected answer, in the form of `args`. */
  expected: unknown
  bytes?: boolean
}

export interface Payload {
  id: string
  title: string
  /** Sent one after the other, for instance several documents of one kind. */
  calls: readonly Call[]
}

const MIB = 2 ** 20

/** A file of 1 KiB. */
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

export const usualCall: Payload = usual('usual', 'greet')
/** Core records the arrival of each call. */
export const clockedCall: Payload = usual('clocked', 'clocked_greet')
export const kibFile = (): Payload =>
  payload('kib-file', 'a file of 1 KiB', { command: 'read_kib', args: {}, expected: readFileSync(KIB_FILE, 'utf8') })

const echo = (id: string, title: string, documents: readonly unknown[]): Payload => ({
  id,
  title,
  calls: documents.map(document => ({ command: 'echo', args: document, expected: document })),
})

export const usualEcho: Payload = echo('usual-echo', '{ name, n, tags[3] }', [ARGS])

/** A document as bytes, which no side parses. */
export const echoBytes = (id: string, title: string, document: unknown): Payload =>
  payload(id, title, { command: 'echo_bytes', args: document, expected: document, bytes: true })

/** JSON adds two quotes to the text. */
export const mebibyte = (): Payload => echoBytes('mebibyte', '1 MiB of bytes', 'x'.repeat(MIB - 2))

/** All published examples of a GitHub webhook event: nested JSON, as from a usual web API. */
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

/** Returns the mean size of the arguments in bytes of JSON, or 0 without calls. */
export function payloadBytes({ calls }: Payload): number {
  return Math.round(mean(calls, ({ args }) => Buffer.byteLength(JSON.stringify(args))) ?? 0)
}
