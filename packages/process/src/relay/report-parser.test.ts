import {
  FRAME_KIND,
  MAX_SNAPSHOT_BYTES,
  type ReceivedFrame,
  SNAPSHOT_PART_BYTES,
} from '@sallyport/protocol/internal/wire'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
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
  const [first, last] = [part(SNAPSHOT_PART_BYTES), part(1)]
  expect([parse(first), parse(last)]).toEqual(['part', 'part'])
  const snapshot = Uint8Array.from(Buffer.concat([first.body as Uint8Array, last.body as Uint8Array]))
  expect(parse(suspended)).toEqual({ type: 'suspended', snapshot, tokens: ['a'] })
  expect([parse(part(1)), parse(suspended)]).toEqual([undefined, undefined])
})

test('refuses parts before the process is ready', () => expect(createReportParser()(part(1))).toBeUndefined())

test('refuses parts beyond the limit of a snapshot', () => {
  const parse = createReadyParser()
  for (let size = 0; size < MAX_SNAPSHOT_BYTES; size += SNAPSHOT_PART_BYTES)
    expect(parse(part(SNAPSHOT_PART_BYTES))).toBe('part')
  expect(parse(part(1))).toBeUndefined()
})

test('refuses an empty part', () => expect(createReadyParser()(part(0))).toBeUndefined())

test('refuses a part after a short one', () => {
  const parse = createReadyParser()
  expect([parse(part(SNAPSHOT_PART_BYTES - 1)), parse(part(1))]).toEqual(['part', undefined])
})

test('refuses a snapshot without tokens', () =>
  rows([[undefined], [[]], ['a'], [[1]], [['x'.repeat(65)]], [Array.from({ length: 20_000 }, () => 'a')]])(tokens => {
    const parse = createReadyParser()
    parse(part(1))
    expect(parse(report({ type: 'suspended', tokens }))).toBeUndefined()
  }))

test('refuses an interruption without a snapshot', () => expect(createReadyParser()(suspended)).toBeUndefined())
