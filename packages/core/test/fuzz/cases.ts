// A case: its target, frames, and values that are written to the memory of a ring.
import type { FuzzFrame } from './frames.js'
import { frames } from './frames.js'
import type { Random } from './random.js'

export const TARGETS = ['core', 'sealed core', 'gate', 'client'] as const

export interface Case {
  readonly target: (typeof TARGETS)[number]
  readonly link: 'port' | 'ring'
  readonly codec: 'json' | 'msgpack'
  readonly frames: readonly FuzzFrame[]
  /** Writes a value to a word of the outgoing or incoming ring before the frame of this number. */
  readonly ring: readonly { before: number; ring: 'out' | 'in'; word: number; value: number }[]
  /** One of `ODD_POSTS`, posted on the port before the frame of this number. */
  readonly post: { before: number; which: number } | undefined
}

export const ODD_POSTS: readonly unknown[] = [
  ...[
    null,
    5,
    'text',
    {},
    [],
    [5],
    [5, 5],
    [5, new Uint8Array(2)],
    new Uint8Array(3),
    new ArrayBuffer(0),
    [[[]]],
    new Map(),
  ],
  ...[
    new ArrayBuffer(1),
    Array.from({ length: 10_000 }, () => 5),
    new SharedArrayBuffer(8),
    new Date(),
    /x/u,
    new Error('x'),
  ],
]

/** Words of head, finished, tail, abandoned, parked and wanted, and the first headers. */
const RING_WORDS = [0, 1, 32, 33, 64, 96, 128, 129, 130]
const RING_VALUES = [0, 1, -1, 7, 8, 4096, 2 ** 18, 2 ** 18 + 8, 2 ** 31 - 8, -(2 ** 31), 0x0100_0010, 0x0500_0000]

export function createCase(random: Random): Case {
  const link = random.chance(0.6) ? 'port' : 'ring'
  const caseFrames = frames(random)
  const corrupt = (): Case['ring'][number] => ({
    before: random.below(caseFrames.length + 1),
    ring: random.chance(0.7) ? 'out' : 'in',
    word: random.chance(0.7) ? random.pick(RING_WORDS) : random.below(2000),
    value: random.chance(0.7) ? random.pick(RING_VALUES) : (random.next() * 2 ** 32) | 0,
  })
  return {
    target: random.pick(TARGETS),
    link,
    codec: random.pick(['json', 'msgpack']),
    frames: caseFrames,
    ring: link === 'ring' && random.chance(0.3) ? [corrupt(), ...random.list(3, corrupt)] : [],
    post: random.chance(0.03)
      ? { before: random.below(caseFrames.length + 1), which: random.below(ODD_POSTS.length) }
      : undefined,
  }
}

/** Returns a case for reports and the corpus, with bodies as hex. */
export const describeCase = ({ frames: caseFrames, ...rest }: Case): string =>
  JSON.stringify({ ...rest, frames: caseFrames.map(({ kind, body }) => [kind, Buffer.from(body).toString('hex')]) })

export function parseCase(text: string): Case {
  const { frames: caseFrames, ...rest } = JSON.parse(text) as Omit<Case, 'frames'> & { frames: [number, string][] }
  return { ...rest, frames: caseFrames.map(([kind, hex]) => ({ kind, body: Buffer.from(hex, 'hex') })) }
}
