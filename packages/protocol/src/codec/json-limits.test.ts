// The two limits that JSON's parser does not have, depth and number of values: their exact values, strings that imitate structure,
// and the same limits for senders.
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { encodeMessage } from '../rpc/outbox.js'
import { MAX_DEPTH, MAX_FRAME_BYTES, MAX_NODES, SCAN_ABOVE_BYTES } from '../wire/limits.js'
import { jsonCodec } from './json.js'
import { scanJson } from './json-checks.js'

const scan = (text: string): void => scanJson(Buffer.from(text))
const nested = (depth: number, inside = ''): string => '['.repeat(depth) + inside + ']'.repeat(depth)
const nestedObjects = (depth: number, inside: string): string => '{"a":'.repeat(depth) + inside + '}'.repeat(depth)
/** Returns a message with the params `value`, padded to `size` bytes. */
function padded(size: number, value: string): string {
  const text = `{"params":${value},"pad":""}`
  return text.replace('"pad":""', `"pad":"${'x'.repeat(Math.max(0, size - text.length))}"`)
}
const large = SCAN_ABOVE_BYTES + 1
const decode = (text: string): unknown => jsonCodec.decode(Buffer.from(text))

const tooDeep = 'Parse error: nested deeper than 64'

describe('the limit of depth', () => {
  // The message itself is the first of the levels.
  it('is 64 for a message of more than 64 KiB', () =>
    rows([
      ['arrays', nested(MAX_DEPTH - 1), nested(MAX_DEPTH)],
      ['objects', nestedObjects(MAX_DEPTH - 1, '1'), nestedObjects(MAX_DEPTH, '1')],
    ])((_name, fits, over) => {
      expect(() => decode(padded(large, fits))).not.toThrow()
      expect(() => decode(padded(large, over))).toThrow(tooDeep)
    }))

  it('does not apply to a message of up to 64 KiB, alone or in a batch of any size', () => {
    const small = padded(SCAN_ABOVE_BYTES, nested(5000))
    expect(() => decode(small)).not.toThrow()
    expect(() => decode(`[${small},${small},${small}]`)).not.toThrow()
    expect(() => decode(`[{"params":1},${small}]`)).not.toThrow()
  })

  it('applies to a message of more than 64 KiB at any place in a batch', () => {
    const [over, fits, little] = [padded(large, nested(64)), padded(large, nested(63)), '{"params":[]}']
    for (const place of [0, 1, 2]) {
      const batch = [little, little, little]
      batch[place] = over
      expect(() => decode(`[${batch.join(',')}]`), `at ${place}`).toThrow(tooDeep)
      batch[place] = fits
      expect(() => decode(` [${batch.join(' , ')} ] `), `at ${place}`).not.toThrow()
    }
  })

  it('ignores brackets in strings', () => {
    const text = JSON.stringify({ a: `${'['.repeat(1000)}"\\"${'{'.repeat(1000)}\\`, b: '\\\\"[[' })
    expect(() => scan(padded(large, text))).not.toThrow()
    expect(() => decode(padded(large, `["\\\\",${nested(64)}]`))).toThrow(tooDeep)
    expect(() => decode(padded(large, `["\\\\\\"",${nested(64)}]`))).toThrow(tooDeep)
  })

  it('applies to nesting at one time, however often it goes up and down', () => {
    expect(() => decode(padded(large, `[${`${nested(60)},`.repeat(1000)}1]`))).not.toThrow()
  })

  it('rejects a million levels without recursion, and without parsing them', () => {
    const parse = vi.spyOn(JSON, 'parse')
    expect(() => decode(nested(1e6))).toThrow(tooDeep)
    expect(() => decode('['.repeat(8e6))).toThrow(tooDeep)
    expect(() => decode('{"a":'.repeat(1e6))).toThrow(tooDeep)
    expect(parse).not.toHaveBeenCalled()
    parse.mockRestore()
  })

  it('leaves invalid JSON to the parser', () => {
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

describe('the limit of values', () => {
  const array = (count: number, item: string): string => `[${`${item},`.repeat(count - 1)}${item}]`
  const tooMany = 'Parse error: more than 1000000 values'

  // The scan counts brackets and commas, plus one.
  it('is a million', () => {
    expect(() => decode(array(MAX_NODES - 1, '1'))).not.toThrow()
    expect(() => decode(array(MAX_NODES, '1'))).toThrow(tooMany)
    expect(() => decode(array(MAX_NODES / 2 + 1, '{}'))).toThrow(tooMany)
    expect(() => decode(`{${Array.from({ length: MAX_NODES }, (_, i) => `"${i}":1`).join(',')}}`)).toThrow(tooMany)
  })

  it('rejects 16 MiB of empty objects before they cost anything', () => {
    const parse = vi.spyOn(JSON, 'parse')
    expect(() => decode(array(5e6, '{}'))).toThrow(tooMany)
    expect(parse).not.toHaveBeenCalled()
    parse.mockRestore()
  })

  it('ignores commas in strings', () => expect(() => decode(`["${','.repeat(2e6)}"]`)).not.toThrow())
})

describe('a frame that comes as a string', () => {
  it('has the same limits as one of bytes', () => {
    expect(() => jsonCodec.decode(padded(large, nested(MAX_DEPTH)))).toThrow(tooDeep)
    expect(() => jsonCodec.decode(padded(SCAN_ABOVE_BYTES, nested(MAX_DEPTH)))).not.toThrow()
    expect(() => jsonCodec.decode(`[${'1,'.repeat(MAX_NODES)}1]`)).toThrow('more than 1000000 values')
  })

  it('is measured as UTF-8', () => {
    const wide = (bytes: number, inside: string): string => `{"a":${inside},"b":"${'漢'.repeat(bytes / 3)}"}`
    expect(() => jsonCodec.decode(wide(large, nested(MAX_DEPTH)))).toThrow(tooDeep)
    expect(() => jsonCodec.decode(wide(MAX_FRAME_BYTES, '1'))).toThrow(/is over the limit/)
    expect(() => jsonCodec.decode(wide(MAX_FRAME_BYTES - 16, '1'))).not.toThrow()
  })
})

describe('random JSON', () => {
  const value = fc.jsonValue({ stringUnit: 'binary', maxDepth: 8 })
  const getDepth = (inner: unknown): number =>
    typeof inner === 'object' && inner !== null
      ? 1 + Math.max(0, ...Object.values(inner).map(each => getDepth(each)))
      : 0

  it('passes if and only if its depth is within the limit', () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 70 }), fc.boolean(), (inside, around, indented) => {
        let deep: unknown = inside
        for (let i = 0; i < around; i++) deep = i % 2 ? [deep] : { '"]': deep }
        const message = JSON.stringify({ deep, pad: 'x'.repeat(large) }, null, indented ? 1 : 0)
        const fits = getDepth(deep) + 1 <= MAX_DEPTH
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

  it('rejects messages that a receiver would reject', () => {
    expect(() => send({ pad: 'x'.repeat(large), deepValue })).toThrow(new RangeError('nested deeper than 64'))
    expect(() => send({ many: Array.from({ length: MAX_NODES }, () => 0) })).toThrow('more than 1000000 values')
  })

  it('sends messages of exactly the limits of a receiver', () => {
    const envelope = send({ deepValue, pad: '' }).length
    for (const pad of ['x', 'é', '€', '𝄞']) {
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
