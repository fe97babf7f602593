// The payloads: real calls and documents, each with the answer it must get. They are plain data, so that they can be posted to a
// thread, and written by users in files of their own.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

export interface Call {
  command: string
  /** Named arguments; with `bytes`, the UTF-8 of their JSON is sent. */
  args: unknown
  /** The right answer, in the same form. */
  expected: unknown
  bytes?: boolean
  /** The call must fail, and `expected` is the message of its error. */
  fails?: boolean
}

export interface Payload {
  id: string
  title: string
  /** Sent one after the other: several real documents of one kind make one payload. */
  calls: readonly Call[]
  /** Replaces `calls`: the sending thread makes the call, because its document is too large for one frame. */
  sized?: Sized
}

/** A document of exactly `size` bytes of JSON, sent as it is or as bytes, and echoed. */
export interface Sized {
  parts: readonly object[]
  size: number
  bytes?: true
}

const KIB = 2 ** 10
const MIB = 2 ** 20

/** The file of 1 KiB that the handler of `kibFile` reads. */
export const KIB_FILE: URL = new URL('../../data/kib.txt', import.meta.url)

export const FAILURE = 'no such name'

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
/** The handler matches the name against its scope. */
export const scopedCall: Payload = usual('scoped', 'scoped_greet')
/** The handler writes a log line at level debug, and one at info. */
export const loggedCall: Payload = usual('logged', 'logged_greet')

export const failingCall: Payload = payload('failing', 'a call that fails', {
  command: 'fail',
  args: ARGS,
  expected: FAILURE,
  fails: true,
})

/** Occupies core's thread for 20 µs, so that core is what limits the rate. */
export const workingCall: Payload = payload('working', '20 µs of work', {
  command: 'work',
  args: { us: 20 },
  expected: 'done',
})

export const kibFile = (): Payload =>
  payload('kib-file', 'a file of 1 KiB', { command: 'read_kib', args: {}, expected: readFileSync(KIB_FILE, 'utf8') })

/** Documents that come back as they were sent. */
export const echo = (id: string, title: string, documents: readonly unknown[]): Payload => ({
  id,
  title,
  calls: documents.map(document => ({ command: 'echo', args: document, expected: document })),
})

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

/** Larger parts are left out, so that a KiB has room for some; 256 parts are enough to include every kind. */
const MAX_PART_LENGTH = 400
const MAX_PARTS = 256

/** Documents of 0 B to 16 MiB, made of small parts of the DevTools protocol. */
export function sizedPayloads(): Payload[] {
  type Domain = Partial<Record<'types' | 'commands' | 'events', object[]>>
  const parts = Object.values(readProtocol())
    .flatMap(protocol => (protocol as { domains: Domain[] }).domains)
    .flatMap(({ types = [], commands = [], events = [] }) => [...types, ...commands, ...events])
    .filter(part => JSON.stringify(part).length <= MAX_PART_LENGTH)
    .slice(0, MAX_PARTS)
  const units = { B: 1, KiB: KIB, MiB: MIB }
  return ['0 B', '64 B', '1 KiB', '16 KiB', '64 KiB', '256 KiB', '1 MiB', '4 MiB', '16 MiB'].map(title => {
    const [count, unit] = title.split(' ')
    const size = Number(count) * units[unit as keyof typeof units]
    return { id: title.replace(' ', '-').toLowerCase(), title, calls: [], sized: { parts, size } }
  })
}

/** The mean size of a payload's arguments in bytes of JSON; 0 if it has no calls. */
export function payloadBytes({ calls, sized }: Payload): number {
  if (sized) return sized.size
  const sizes = calls.map(({ args }) => Buffer.byteLength(JSON.stringify(args)))
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length))
}

/** Returns a payload's calls. Runs in the thread that sends them, where a sized document is made. */
export function getCalls({ calls, sized }: Payload): readonly Call[] {
  if (!sized) return calls
  const { parts, size, bytes } = sized
  if (!bytes) {
    const document = createDocument(parts, size)
    return [{ command: 'echo', args: document, expected: document }]
  }
  // JSON has no text of 0 bytes.
  const document = size === 0 ? undefined : createDocument(parts, size)
  return [{ command: 'echo_bytes', args: document, expected: document, bytes }]
}

/**
 * Makes a document with exactly `size` bytes of JSON: as many parts as fit, and text for the rest. No object is in it twice,
 * because a structured clone would write it once. A size of 0 makes an empty object.
 */
export function createDocument(parts: readonly object[], size: number): object {
  if (size === 0) return {}
  const texts = parts.map(part => JSON.stringify(part))
  const lengths = texts.map(text => Buffer.byteLength(text))
  const taken: string[] = []
  let left = size - Buffer.byteLength(JSON.stringify({ parts: [], rest: '' }))
  if (left < 0) throw new Error(`A document cannot have ${size} bytes`)
  for (;;) {
    const next = taken.length % parts.length
    const room = lengths[next]! + (taken.length > 0 ? 1 : 0)
    if (room > left) break
    taken.push(texts[next]!)
    left -= room
  }
  return JSON.parse(`{"parts":[${taken.join()}],"rest":"${'x'.repeat(left)}"}`) as object
}
