// The two bounds that JSON's parser does not know, depth and number of values: where exactly they lie, that text can't hide
// from them or run into them, and that a sender meets them before a receiver does.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMessage } from '../rpc/outbox.js'
import { MAX_DEPTH, MAX_NODES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import { jsonCodec } from './json.js'
import { scanJson } from './json.js'

const scan = (text: string): void => scanJson(Buffer.from(text))
const nested = (depth: number, inside = ''): string => '['.repeat(depth) + inside + ']'.repeat(depth)
const nestedObjects = (depth: number, inside: string): string => '{"a":'.repeat(depth) + inside + '}'.repeat(depth)
/** A message whose params are `value`, with as much text beside them as makes it `size` bytes. */
function padded(size: number, value: string): string {
  const text = `{"params":${value},"pad":""}`
  return text.replace('"pad":""', `"pad":"${'x'.repeat(Math.max(0, size - text.length))}"`)
}
const large = SCAN_ABOVE_BYTES + 1
const decode = (text: string): unknown => jsonCodec.decode(Buffer.from(text))

const tooDeep = 'Parse error: nested deeper than 64'

describe('depth', () => {
  // The message itself is the first of the levels.
  it.each([
    ['arrays', nested(MAX_DEPTH - 1), nested(MAX_DEPTH)],
    ['objects', nestedObjects(MAX_DEPTH - 1, '1'), nestedObjects(MAX_DEPTH, '1')],
  ])('of a message over 64 KiB may be 64, in %s', (_name, fits, over) => {
    expect(() => decode(padded(large, fits))).not.toThrow()
    expect(() => decode(padded(large, over))).toThrow(tooDeep)
  })

  it('of a message up to 64 KiB is free, alone and in a batch of any size', () => {
    const small = padded(SCAN_ABOVE_BYTES, nested(5000))
    expect(() => decode(small)).not.toThrow()
    expect(() => decode(`[${small},${small},${small}]`)).not.toThrow()
    expect(() => decode(`[{"params":1},${small}]`)).not.toThrow()
  })

  it('of a message over 64 KiB is bounded in a batch too, wherever it stands in it', () => {
    const [over, fits, little] = [padded(large, nested(64)), padded(large, nested(63)), '{"params":[]}']
    for (const place of [0, 1, 2]) {
      const batch = [little, little, little]
      batch[place] = over
      expect(() => decode(`[${batch.join(',')}]`), `at ${place}`).toThrow(tooDeep)
      batch[place] = fits
      expect(() => decode(` [${batch.join(' , ')} ] `), `at ${place}`).not.toThrow()
    }
  })

  it('is not in strings', () => {
    const text = JSON.stringify({ a: `${'['.repeat(1000)}"\\"${'{'.repeat(1000)}\\`, b: '\\\\"[[' })
    expect(() => scan(padded(large, text))).not.toThrow()
    expect(() => decode(padded(large, `["\\\\",${nested(64)}]`))).toThrow(tooDeep)
    expect(() => decode(padded(large, `["\\\\\\"",${nested(64)}]`))).toThrow(tooDeep)
  })

  it('may go up and down as often as it likes', () => {
    expect(() => decode(padded(large, `[${`${nested(60)},`.repeat(1000)}1]`))).not.toThrow()
  })

  it('of a million takes no stack, and little time', () => {
    const before = performance.now()
    expect(() => decode(nested(1e6))).toThrow(tooDeep)
    expect(() => decode('['.repeat(8e6))).toThrow(tooDeep)
    expect(() => decode('{"a":'.repeat(1e6))).toThrow(tooDeep)
    expect(performance.now() - before).toBeLessThan(5000)
  })

  it('of what is not JSON is for the parser to tell', () => {
    for (const text of [
      ']'.repeat(large),
      '}]'.repeat(large),
      ','.repeat(large),
      '"'.repeat(large),
      `"${'\\'.repeat(large)}`,
    ])
      expect(() => decode(text)).toThrow(/^Parse error: /)
  })
})

describe('the number of values', () => {
  const array = (count: number, item: string): string => `[${Array.from({ length: count }, () => item).join(',')}]`
  const tooMany = 'Parse error: more than 1000000 values'

  // Text is counted: its brackets, its commas, and one.
  it('may be a million', () => {
    expect(() => decode(array(MAX_NODES - 1, '1'))).not.toThrow()
    expect(() => decode(array(MAX_NODES, '1'))).toThrow(tooMany)
    expect(() => decode(array(MAX_NODES / 2 + 1, '{}'))).toThrow(tooMany)
    expect(() => decode(`{${Array.from({ length: MAX_NODES }, (_, i) => `"${i}":1`).join(',')}}`)).toThrow(tooMany)
  })

  it('of 16 MiB of empty objects is refused before it costs anything', () => {
    const before = performance.now()
    expect(() => decode(array(5e6, '{}'))).toThrow(tooMany)
    expect(performance.now() - before).toBeLessThan(3000)
  })

  it('counts no comma of a string', () => expect(() => decode(`["${','.repeat(2e6)}"]`)).not.toThrow())
})

describe('any JSON', () => {
  const value = fc.jsonValue({ stringUnit: 'binary', maxDepth: 8 })
  const depthOf = (inner: unknown): number =>
    typeof inner === 'object' && inner !== null
      ? 1 + Math.max(0, ...Object.values(inner).map(each => depthOf(each)))
      : 0

  it('passes when its depth is within the bound, and only then', () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 70 }), fc.boolean(), (inside, around, indented) => {
        let deep: unknown = inside
        for (let i = 0; i < around; i++) deep = i % 2 ? [deep] : { '"]': deep }
        const message = JSON.stringify({ deep, pad: 'x'.repeat(large) }, null, indented ? 1 : 0)
        const fits = depthOf(deep) + 1 <= MAX_DEPTH
        for (const text of [message, `[{},${message},{}]`]) {
          if (fits) expect(() => scan(text)).not.toThrow()
          else expect(() => scan(text)).toThrow('nested deeper than 64')
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('a sender', () => {
  const deepValue = JSON.parse(nested(64)) as unknown
  const send = (params: unknown): string =>
    encodeMessage(jsonCodec, { jsonrpc: '2.0', method: 'm', params }, true) as string

  it('does not send what a receiver would refuse', () => {
    expect(() => send({ pad: 'x'.repeat(large), deepValue })).toThrow(new RangeError('nested deeper than 64'))
    expect(() => send({ many: Array.from({ length: MAX_NODES }, () => 0) })).toThrow('more than 1000000 values')
  })

  it('sends what a receiver takes, up to the byte', () => {
    const envelope = send({ deepValue, pad: '' }).length
    for (const pad of ['x', 'é']) {
      const size = Buffer.byteLength(pad)
      const most = Math.floor((SCAN_ABOVE_BYTES - envelope) / size)
      const text = send({ deepValue, pad: pad.repeat(most) })
      expect(() => decode(text)).not.toThrow()
      expect(() => decode(`[${text},${text}]`)).not.toThrow()
      expect(() => send({ deepValue, pad: pad.repeat(most + 1) })).toThrow('nested deeper than 64')
    }
    expect(() => decode(send({ pad: 'x'.repeat(large), deep: JSON.parse(nested(62)) as unknown }))).not.toThrow()
  })
})
