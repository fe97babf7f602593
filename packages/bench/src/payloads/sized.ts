// Documents of one exact size: small parts of the description of the Chrome DevTools protocol, as many as there is room
// for, and text for the rest.
import { readProtocol } from './devtools.js'
import { echoOf, echoOfBytes, type Payload } from './payload.js'

interface Domain {
  types?: object[]
  commands?: object[]
  events?: object[]
}

const SIZES = {
  '64-b': 2 ** 6,
  '1-kib': 2 ** 10,
  '16-kib': 2 ** 14,
  '64-kib': 2 ** 16,
  '256-kib': 2 ** 18,
  '1-mib': 2 ** 20,
}

interface Sized {
  parts: object[]
  rest: string
}

/** Larger ones are left out, so that a KiB holds some. */
const MAX_PART = 400

const lengthOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** Its JSON has so many bytes. */
function documentOf(parts: readonly object[], bytes: number): Sized {
  const taken: object[] = []
  let left = bytes - lengthOf({ parts: [], rest: '' })
  for (;;) {
    const next = parts[taken.length % parts.length]!
    const room = lengthOf(next) + (taken.length > 0 ? 1 : 0)
    if (room > left) break
    taken.push(next)
    left -= room
  }
  return { parts: taken, rest: 'x'.repeat(left) }
}

/** Documents of 64 B to 1 MiB, each as JSON and as bytes. */
export function sizedPayloads(): Record<'json' | 'bytes', Payload[]> {
  const domains = Object.values(readProtocol()).flatMap(one => (one as { domains: Domain[] }).domains)
  const parts = domains
    .flatMap(({ types = [], commands = [], events = [] }) => [...types, ...commands, ...events])
    .filter(part => lengthOf(part) <= MAX_PART)
  const documents = Object.entries(SIZES).map(([id, bytes]) => ({ id, document: documentOf(parts, bytes) }))
  const titleOf = ({ parts: taken }: Sized): string => (taken.length === 0 ? 'a text' : `${taken.length} objects`)
  return {
    json: documents.map(({ id, document }) => echoOf(id, titleOf(document), [document])),
    bytes: documents.map(({ id, document }) => echoOfBytes(id, titleOf(document), [document])),
  }
}
