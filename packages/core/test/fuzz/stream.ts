// Frames as the bytes of a stream: with wrong headers and lengths, cut anywhere, and split into chunks.
import { STREAM_HEADER_BYTES, writeStreamHeader } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, MAX_BODY_BYTES, type FrameKind } from '@sallyport/protocol/internal/wire'
import type { FuzzFrame } from './frames.js'
import type { Random } from './random.js'

export interface FuzzStream {
  readonly bytes: Uint8Array
  /** Sizes of the first 100 chunks, repeated. The rest is one chunk. */
  readonly chunks: readonly number[]
  /** After the bytes: more requests follow, the process ends its side, or it is killed. */
  readonly end: 'stays' | 'ends' | 'dies'
}

const LENGTHS = [0, 1, 255, 4096, 2 ** 16, 2 ** 24, MAX_BODY_BYTES, MAX_BODY_BYTES + 1, 2 ** 31, 2 ** 32 - 1]

function toBytes({ kind, body }: FuzzFrame, length: number = body.length): Buffer {
  const header = Buffer.alloc(STREAM_HEADER_BYTES)
  writeStreamHeader(header, kind as FrameKind, length)
  return Buffer.concat([header, body])
}

function writeFrame(random: Random, frame: FuzzFrame): Buffer {
  if (random.chance(0.85)) return toBytes(frame)
  if (random.chance(0.3)) return toBytes({ ...frame, kind: random.below(256) })
  const near = Math.max(0, frame.body.length + random.below(9) - 4)
  return toBytes(frame, random.chance(0.5) ? near : random.pick(LENGTHS))
}

function mutate(random: Random, original: Buffer): Buffer {
  const at = random.below(original.length)
  const [before, rest] = [original.subarray(0, at), original.subarray(at)]
  const kind = random.below(5)
  if (kind === 0) return before
  if (kind === 1) return Buffer.concat([before, rest.subarray(1 + random.few(40))])
  if (kind === 2) return Buffer.concat([before, random.bytes(1 + random.few(40)), rest])
  if (kind === 3) return Buffer.concat([before, rest.subarray(0, 1 + random.few(400)), rest])
  const bytes = Buffer.from(original)
  bytes[at]! ^= 1 << random.below(8)
  return bytes
}

/** Hundreds of these are more than a thread takes of a socket in one pass. */
const SMALL = toBytes({ kind: FRAME_KIND.json, body: Buffer.from('{"jsonrpc":"2.0","method":"ok","id":0}') })

export function createStream(random: Random, frames: readonly FuzzFrame[]): FuzzStream {
  const many = random.chance(0.1) ? Array.from({ length: 300 + random.below(1000) }, () => SMALL) : []
  let bytes: Buffer = Buffer.concat([...many, ...frames.map(frame => writeFrame(random, frame))])
  if (random.chance(0.4)) bytes = mutate(random, bytes)
  const most = random.pick([1, 5, 40, 5000])
  const chunks = Array.from({ length: 1 + random.below(20) }, () => 1 + random.below(most))
  return { bytes, chunks, end: random.pick(['stays', 'stays', 'ends', 'dies']) }
}

/** Where a stream is after its bytes: between two frames, within one, or behind a header that must end its session. */
export function findEnd(bytes: Uint8Array): 'between' | 'within' | 'invalid' {
  const { buffer, byteOffset, length } = bytes
  const view = new DataView(buffer, byteOffset, length)
  const kinds: readonly number[] = Object.values(FRAME_KIND)
  let at = 0
  while (at < length) {
    if (length - at < STREAM_HEADER_BYTES) return 'within'
    const body = view.getUint32(at, true)
    if (body > MAX_BODY_BYTES || !kinds.includes(view.getUint8(at + 4))) return 'invalid'
    at += STREAM_HEADER_BYTES + body
  }
  return at === length ? 'between' : 'within'
}
