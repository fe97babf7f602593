// Documents of 0 B to 16 MiB, of small parts of the description of the Chrome DevTools protocol, as many as there is room for.
import { readProtocol } from './devtools.js'
import type { Payload } from './payload.js'

interface Domain {
  types?: object[]
  commands?: object[]
  events?: object[]
}

const KIB = 2 ** 10
const MIB = 2 ** 20

const SIZES = {
  '0 B': 0,
  '64 B': 64,
  '1 KiB': KIB,
  '16 KiB': 16 * KIB,
  '64 KiB': 64 * KIB,
  '256 KiB': 256 * KIB,
  '1 MiB': MIB,
  '4 MiB': 4 * MIB,
  '16 MiB': 16 * MIB,
}

/** Larger ones are left out, so that a KiB holds some; and so many are enough to be of every kind. */
const MAX_PART = 400
const PARTS = 256

export function sizedPayloads(): Payload[] {
  const domains = Object.values(readProtocol()).flatMap(one => (one as { domains: Domain[] }).domains)
  const parts = domains
    .flatMap(({ types = [], commands = [], events = [] }) => [...types, ...commands, ...events])
    .filter(part => JSON.stringify(part).length <= MAX_PART)
    .slice(0, PARTS)
  return Object.entries(SIZES).map(([title, size]) => ({
    id: title.replace(' ', '-').toLowerCase(),
    title,
    calls: [],
    sized: { parts, size },
  }))
}
