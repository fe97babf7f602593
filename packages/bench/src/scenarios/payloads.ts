// The payloads: real calls and documents with their expected answers, as plain data, which can be posted to a thread.
import { mean } from 'd3-array'
import { createRequire } from 'node:module'

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

export const echo = (id: string, title: string, documents: readonly unknown[]): Payload => ({
  id,
  title,
  calls: documents.map(document => ({ command: 'echo', args: document, expected: document })),
})

/** A document as bytes, which no side parses. */
export const echoBytes = (id: string, title: string, document: unknown): Payload =>
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

/** Returns the mean size of the arguments in bytes, of JSON unless they are bytes, or 0 without calls. */
export function payloadBytes({ calls }: Payload): number {
  const getSize = ({ args, bytes }: Call): number =>
    bytes === 'base64' ? Buffer.byteLength(args as string, 'base64') : Buffer.byteLength(JSON.stringify(args))
  return Math.round(mean(calls, getSize) ?? 0)
}
