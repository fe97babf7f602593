// Frames of messages, and mutations of their bytes.
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { Packr } from 'msgpackr/pack'
import { batch } from './messages.js'
import type { Random } from './random.js'

export interface FuzzFrame {
  /** Usually one of `FRAME_KIND`. */
  readonly kind: number
  readonly body: Uint8Array
}

/** Extensions of msgpackr, which Sallyport never writes. */
const rich = new Packr({ useRecords: false, moreTypes: true, structuredClone: true })
const records = new Packr()
const plain = new Packr({ useRecords: false })

function pack(random: Random, value: unknown): Uint8Array {
  const packer = random.chance(0.8) ? plain : random.chance(0.5) ? rich : records
  const odd = random.pick([
    /x/u,
    new Error('x'),
    new Float64Array(3),
    new Map([[1, 2]]),
    2n ** 60n,
    new Date(NaN),
    new Set([1]),
  ])
  const message = random.chance(0.9) ? value : { jsonrpc: '2.0', id: 1, method: 'echo', params: { odd, value } }
  try {
    return packer.pack(message)
  } catch {
    // msgpackr calls any member named toJSON.
    return plain.pack(JSON.parse(JSON.stringify(value).replaceAll('"toJSON"', '"toString"')))
  }
}

function json(random: Random, value: unknown): Uint8Array {
  const written = JSON.stringify(value)
  return Buffer.from(random.chance(0.9) ? written : written.replace(/"a"|"event"|"id"/u, '"__proto__"'))
}

/** Lengths of strings, bytes, arrays, maps and extensions in msgpack, far beyond the actual size. */
const LIES = [0xdb, 0xc6, 0xdd, 0xdf, 0xc9, 0xda, 0xc5, 0xdc, 0xde, 0xc8]

function mutate(random: Random, original: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(original)
  const at = random.below(bytes.length || 1)
  const kind = random.below(7)
  if (kind === 0 && bytes.length > 0) bytes[at]! ^= 1 << random.below(8)
  else if (kind === 1 && bytes.length > 0) bytes[at] = random.below(256)
  else if (kind === 2) return bytes.subarray(0, at)
  else if (kind === 3) return Buffer.concat([bytes, random.bytes(random.below(9))])
  else if (kind === 4)
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(6)), bytes.subarray(at)])
  else if (kind === 5) {
    const from = random.below(bytes.length || 1)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + 40), bytes.subarray(at)])
  } else {
    const lie = [random.pick(LIES), ...random.bytes(4).map(byte => (random.chance(0.5) ? 255 : byte))]
    return Buffer.concat([bytes.subarray(0, at), Uint8Array.from(lie), bytes.subarray(at)])
  }
  return bytes
}

/** An attachment, usually of a valid size, and sometimes the message that refers to it. */
function attachment(random: Random): FuzzFrame[] {
  const size = random.chance(0.8) ? 64 * 1024 : random.pick([0, 1, 65_535, 70_000])
  const frame = { kind: FRAME_KIND.bytes, body: new Uint8Array(size).fill(random.below(256)) }
  if (random.chance(0.5)) return [frame]
  const length = random.chance(0.7) ? size : random.below(2 ** 31)
  if (random.chance(0.5)) return [frame, jsonBytes(random, [length, random.below(9)])]
  const start = plain.pack({ jsonrpc: '2.0', id: 1, method: 'echo', params: { data: null } })
  const mark = Buffer.from([0xd6, 0x53, 0, 0, 0, 0])
  mark.writeUInt32BE(length, 2)
  return [frame, { kind: FRAME_KIND.msgpack, body: Buffer.concat([start.subarray(0, -1), mark]) }]
}

/** A message with bytes of these lengths, of which those below 64 KiB follow it. */
function jsonBytes(random: Random, lengths: readonly number[]): FuzzFrame {
  const bytes = lengths.map((_, at) => `/params/${random.pick(['data', 'data', '__proto__', 0])}/${at}`)
  const text = Buffer.from(
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'echo', params: { data: lengths.map(() => null) }, bytes }),
  )
  const toHead = (length: number): Buffer => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(length)
    return head
  }
  const parts = lengths.flatMap(length => [toHead(length), random.bytes(length < 65_536 ? length : 0)])
  const body = Buffer.concat([toHead(text.length), text, ...parts])
  return { kind: FRAME_KIND.jsonBytes, body: random.chance(0.5) ? body : mutate(random, body) }
}

function frame(random: Random): FuzzFrame[] {
  const kind = random.below(20)
  if (kind === 2)
    return [
      jsonBytes(
        random,
        random.list(4, () => random.below(300)),
      ),
    ]
  if (kind === 0) return attachment(random)
  if (kind === 1) return [{ kind: random.below(256), body: random.bytes(random.few(300)) }]
  const isJson = random.chance(0.5)
  const content = batch(random)
  let body = isJson ? json(random, content) : pack(random, content)
  if (random.chance(0.4)) for (let i = 1 + random.few(4); i > 0; i--) body = mutate(random, body)
  const honest = isJson ? FRAME_KIND.json : FRAME_KIND.msgpack
  return [{ kind: random.chance(0.95) ? honest : random.pick([1, 2, 3, 4, 5]), body }]
}

export const frames = (random: Random): FuzzFrame[] => [0, ...random.list(5, () => 0)].flatMap(() => frame(random))
