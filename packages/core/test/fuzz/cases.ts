// One case: what is attacked, the frames, and what is written to the memory of a ring beside them.
import type { FuzzFrame } from './frames.js'
import { frames } from './frames.js'
import type { Random } from './random.js'

export const TARGETS = ['core', 'sealed core', 'gate', 'client'] as const

export interface Case {
  readonly target: (typeof TARGETS)[number]
  readonly link: 'port' | 'ring'
  readonly codec: 'json' | 'msgpack'
  readonly frames: readonly FuzzFrame[]
  /** Before the frame of this number, this value is written to this word of the ring that goes `out` or comes `in`. */
  readonly ring: readonly { before: number; ring: 'out' | 'in'; word: number; value: number }[]
  /** Posted on the port as it is, before the frame of this number: one of `ODD_POSTS`. */
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

/** Head, tail, parked, wanted; then whatever lies there, and the first headers. */
const RING_WORDS = [0, 32, 64, 96, 128, 129, 130]
const RING_VALUES = [0, 1, -1, 7, 8, 4096, 2 ** 18, 2 ** 18 + 8, 2 ** 31 - 8, -(2 ** 31), 0x0100_0010, 0x0500_0000]

export function createCase(random: Random): Case {
  const link = random.chance(0.6) ? 'port' : 'ring'
  const given = frames(random)
  const corrupt = (): Case['ring'][number] => ({
    before: random.below(given.length + 1),
    ring: random.chance(0.7) ? 'out' : 'in',
    word: random.chance(0.7) ? random.pick(RING_WORDS) : random.below(2000),
    value: random.chance(0.7) ? random.pick(RING_VALUES) : (random.next() * 2 ** 32) | 0,
  })
  return {
    target: random.pick(TARGETS),
    link,
    codec: random.pick(['json', 'msgpack']),
    frames: given,
    ring: link === 'ring' && random.chance(0.3) ? [corrupt(), ...random.list(3, corrupt)] : [],
    post: random.chance(0.03)
      ? { before: random.below(given.length + 1), which: random.below(ODD_POSTS.length) }
      : undefined,
  }
}

/** For a report, and for the corpus: bodies as hex. */
export const describeCase = ({ frames: given, ...rest }: Case): string =>
  JSON.stringify({ ...rest, frames: given.map(({ kind, body }) => [kind, Buffer.from(body).toString('hex')]) })

export function parseCase(text: string): Case {
  const { frames: given, ...rest } = JSON.parse(text) as Omit<Case, 'frames'> & { frames: [number, string][] }
  return { ...rest, frames: given.map(([kind, hex]) => ({ kind, body: Buffer.from(hex, 'hex') })) }
}
