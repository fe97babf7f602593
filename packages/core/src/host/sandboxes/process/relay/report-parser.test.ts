import {
  FRAME_KIND,
  MAX_SNAPSHOT_BYTES,
  type ReceivedFrame,
  SNAPSHOT_PART_BYTES,
} from '@sallyport/protocol/internal/wire'
import { expect, test } from 'vitest'
import { createReportParser } from './report-parser.js'

const report = (content: object): ReceivedFrame => ({ kind: FRAME_KIND.json, body: JSON.stringify(content) })
const part = (size: number): ReceivedFrame => ({ kind: FRAME_KIND.bytes, body: new Uint8Array(size).fill(size) })
const suspended = report({ type: 'suspended', tokens: ['a'] })

function createReadyParser(): ReturnType<typeof createReportParser> {
  const parse = createReportParser()
  parse(report({ type: 'state', state: 'ready' }))
  return parse
}

test('puts the parts of a snapshot together, once', () => {
  const parse = createReadyParser()
  expect([parse(part(2)), parse(part(1))]).toEqual(['part', 'part'])
  expect(parse(suspended)).toEqual({ type: 'suspended', snapshot: Uint8Array.of(2, 2, 1), tokens: ['a'] })
  expect([parse(part(1)), parse(suspended)]).toEqual([undefined, undefined])
})

test('refuses parts before the process is ready', () => expect(createReportParser()(part(1))).toBeUndefined())

test('refuses parts beyond the limit of a snapshot', () => {
  const parse = createReadyParser()
  for (let size = 0; size < MAX_SNAPSHOT_BYTES; size += SNAPSHOT_PART_BYTES)
    expect(parse(part(SNAPSHOT_PART_BYTES))).toBe('part')
  expect(parse(part(1))).toBeUndefined()
})

test.each([[undefined], [[]], ['a'], [[1]], [['x'.repeat(65)]], [Array.from({ length: 20_000 }, () => 'a')]])(
  'refuses a snapshot without tokens: %#',
  tokens => {
    const parse = createReadyParser()
    parse(part(1))
    expect(parse(report({ type: 'suspended', tokens }))).toBeUndefined()
  },
)

test('refuses an interruption without a snapshot', () => expect(createReadyParser()(suspended)).toBeUndefined())
