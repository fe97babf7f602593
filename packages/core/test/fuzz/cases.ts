// A case: its target, frames or a stream of them, and values that are written to the memory of a ring.
import type { FuzzFrame } from './frames.js'
import { frames } from './frames.js'
import type { Random } from './random.js'
import { createStream, type FuzzStream } from './stream.js'

export const TARGETS = ['core', 'sealed core', 'gate', 'client'] as const

export interface Case {
  readonly target: (typeof TARGETS)[number]
  readonly link: 'port' | 'ring'
  readonly codec: 'json' | 'msgpack'
  readonly frames: readonly FuzzFrame[]
  /** What a process writes to a socket, instead of frames on the link. */
  readonly stream?: FuzzStream | undefined
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
  const target = random.pick(TARGETS)
  // A client in a process reads no frames of a hostile peer.
  const isDirect = target !== 'client' && random.chance(0.25)
  const link = random.chance(0.6) ? 'port' : 'ring'
  const allFrames = frames(random)
  const caseFrames = isDirect ? [] : allFrames
  const corrupt = (): Case['ring'][number] => ({
    before: random.below(caseFrames.length + 1),
    ring: random.chance(0.7) ? 'out' : 'in',
    word: random.chance(0.7) ? random.pick(RING_WORDS) : random.below(2000),
    value: random.chance(0.7) ? random.pick(RING_VALUES) : (random.next() * 2 ** 32) | 0,
  })
  return {
    target,
    link,
    codec: random.pick(['json', 'msgpack']),
    frames: caseFrames,
    stream: isDirect ? createStream(random, allFrames) : undefined,
    ring: link === 'ring' && !isDirect && random.chance(0.3) ? [corrupt(), ...random.list(3, corrupt)] : [],
    post: random.chance(0.03)
      ? { before: random.below(caseFrames.length + 1), which: random.below(ODD_POSTS.length) }
      : undefined,
  }
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** A case as JSON, with bytes as hex. */
interface WrittenCase extends Omit<Case, 'frames' | 'stream'> {
  readonly frames: [kind: number, hex: string][]
  readonly stream?: Omit<FuzzStream, 'bytes'> & { readonly bytes: string }
}

/** Returns a case for reports and the corpus. */
export const describeCase = ({ frames: caseFrames, stream, ...rest }: Case): string =>
  JSON.stringify({
    ...rest,
    frames: caseFrames.map(({ kind, body }) => [kind, toHex(body)]),
    stream: stream && { ...stream, bytes: toHex(stream.bytes) },
  })

export function parseCase(text: string): Case {
  const { frames: caseFrames, stream, ...rest } = JSON.parse(text) as WrittenCase
  return {
    ...rest,
    frames: caseFrames.map(([kind, hex]) => ({ kind, body: Buffer.from(hex, 'hex') })),
    stream: stream && { ...stream, bytes: Buffer.from(stream.bytes, 'hex') },
  }
}
