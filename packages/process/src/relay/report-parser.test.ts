import {
  FRAME_KIND,
  MAX_SNAPSHOT_BYTES,
  type ReceivedFrame,
  SNAPSHOT_PART_BYTES,
} from '@sallyport/protocol/internal/wire'
import { MAX_UNHANDLED } from '@sallyport/protocol/internal/contract'
import { reportError } from '@sallyport/protocol/internal/errors'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createMemberParser } from './report-parser.js'

const member = (content: object): ReceivedFrame => ({ kind: FRAME_KIND.json, body: JSON.stringify(content) })
const report = (message: object): ReceivedFrame => member({ type: 'message', message })
const part = (size: number): ReceivedFrame => ({ kind: FRAME_KIND.bytes, body: new Uint8Array(size).fill(size) })
const suspended = report({ type: 'suspended', tokens: ['a'] })

/** A parser of what the messages of one member have. */
function createReportParser(canSuspend = true) {
  const parse = createMemberParser(() => canSuspend)
  return (frame: ReceivedFrame) => {
    const parsed = parse(frame)
    return typeof parsed === 'object' && parsed.type === 'message' ? parsed.message : parsed
  }
}

function createReadyParser(canSuspend = true): ReturnType<typeof createReportParser> {
  const parse = createReportParser(canSuspend)
  parse(report({ type: 'state', state: 'ready' }))
  return parse
}

test('puts the parts of a snapshot together, once', () => {
  const parse = createReadyParser()
  const [first, last] = [part(SNAPSHOT_PART_BYTES), part(1)]
  expect([parse(first), parse(last)]).toEqual(['nothing', 'nothing'])
  const snapshot = Uint8Array.from(Buffer.concat([first.body as Uint8Array, last.body as Uint8Array]))
  expect(parse(suspended)).toEqual({ type: 'suspended', snapshot, tokens: ['a'] })
  expect([parse(part(1)), parse(suspended)]).toEqual([undefined, undefined])
})

test('refuses parts before the process is ready', () => expect(createReportParser()(part(1))).toBeUndefined())

test('refuses parts of code that is never interrupted', () =>
  expect(createReadyParser(false)(part(SNAPSHOT_PART_BYTES))).toBeUndefined())

test('refuses parts beyond the limit of a snapshot', () => {
  const parse = createReadyParser()
  for (let size = 0; size < MAX_SNAPSHOT_BYTES; size += SNAPSHOT_PART_BYTES)
    expect(parse(part(SNAPSHOT_PART_BYTES))).toBe('nothing')
  expect(parse(part(1))).toBeUndefined()
})

test('refuses a report that is nested too deeply, as text and as bytes', () => {
  const nest = (depth: number): string =>
    `{"type":"message","message":{"type":"state","state":"failed","error":{"message":"no","thrown":${'['.repeat(depth)}${']'.repeat(depth)}}}}`
  const asText = (depth: number): unknown => createReadyParser()({ kind: FRAME_KIND.json, body: nest(depth) })
  const asBytes = (depth: number): unknown =>
    createReadyParser()({ kind: FRAME_KIND.json, body: new TextEncoder().encode(nest(depth)) })
  for (const parse of [asText, asBytes]) {
    expect(parse(1)).toMatchObject({ state: 'failed' })
    expect(parse(1000)).toBeUndefined()
  }
})

test('refuses an empty part', () => expect(createReadyParser()(part(0))).toBeUndefined())

test('refuses a part after a short one', () => {
  const parse = createReadyParser()
  expect([parse(part(SNAPSHOT_PART_BYTES - 1)), parse(part(1))]).toEqual(['nothing', undefined])
})

test('refuses a snapshot without tokens', () =>
  rows([[undefined], [[]], ['a'], [[1]], [['x'.repeat(65)]], [Array.from({ length: 20_000 }, () => 'a')]])(tokens => {
    const parse = createReadyParser()
    parse(part(1))
    expect(parse(report({ type: 'suspended', tokens }))).toBeUndefined()
  }))

test('refuses an interruption without a snapshot', () => expect(createReadyParser()(suspended)).toBeUndefined())

test('what a report has of an error is bounded in depth, number and length', () => {
  const nest = (text: string, levels: number, inner: string, end: string) =>
    text.repeat(levels) + inner + end.repeat(levels)
  const long = JSON.stringify('x'.repeat(200_000))
  return rows([
    ['causes', `{"thrown":${nest('{"cause":', 60_000, '{}', '}')}}`, undefined],
    [
      'causes that the relay could post, and the host not read',
      `{"thrown":${nest('{"cause":', 4000, '{}', '}')}}`,
      undefined,
    ],
    ['errors', `{"thrown":${nest('{"errors":[', 7000, '{}', ']}')}}`, undefined],
    ['data', `{"thrown":{"properties":{"p":${nest('[', 7000, '', ']')}}}}`, undefined],
    ['a message', `{"message":${nest('[', 7000, '', ']')}}`, undefined],
    ['a limit', `{"limit":${nest('{"limit":', 7000, '1', '}')}}`, undefined],
    ['another field', `{},"x":${nest('[', 7000, '', ']')}`, undefined],
    ['as deep as may be', `{"thrown":${nest('{"cause":', 60, '{}', '}')}}`, 'taken'],
    ['many errors', `{"thrown":{"errors":[${'{},'.repeat(200_000)}{}]}}`, 'taken'],
    [
      'many properties',
      `{"thrown":{"properties":{${Array.from({ length: 50_000 }, (_, at) => `"${at}":1`).join()}}}}`,
      'taken',
    ],
    ['long texts', `{"message":${long},"stack":${long},"reason":${long}}`, 'taken'],
    ['long data', `{"thrown":{"message":${long}}}`, 'taken'],
  ])((_what, error, outcome) => {
    const frames = [`"type":"unhandled","error":${error}`, `"type":"state","state":"booting","error":${error}`]
    const texts = [`"type":"error","error":${error}`, ...frames.map(text => `"type":"message","message":{${text}}`)]
    for (const text of texts) {
      const parsed = createMemberParser()({ kind: FRAME_KIND.json, body: Buffer.from(`{${text}}`) })
      expect(parsed && 'taken').toBe(outcome)
      expect(JSON.stringify(parsed ?? '').length).toBeLessThan(100_000)
    }
  })
})

test('an error is reported whole', () => {
  let nested: unknown = 1
  for (let level = 0; level < 32; level++) nested = [nested]
  let error = new Error('innermost')
  for (let level = 0; level < 9; level++)
    error = new AggregateError([Object.assign(error, { code: 'E', nested })], 'x', { cause: 'text' })
  const reported = reportError(error)
  expect(reported.thrown).toBeDefined()
  for (const frame of [member({ type: 'error', error: reported }), report({ type: 'unhandled', error: reported })])
    expect(JSON.stringify(createMemberParser()(frame))).toContain(JSON.stringify(reported.thrown))
})

test('accepts once whether a process has its sockets', () => {
  const parse = createMemberParser()
  const linked = member({ type: 'linked', isDirect: true })
  expect([parse(linked), parse(linked)]).toEqual([{ type: 'linked', isDirect: true }, undefined])
  expect(createMemberParser()(member({ type: 'linked', isDirect: 1 }))).toBeUndefined()
})

test('passes on as many rejections as a run reports, and one error', () =>
  rows([
    [report({ type: 'unhandled', error: {} }), MAX_UNHANDLED],
    [member({ type: 'error', error: {} }), 1],
  ])((frame, most) => {
    const parse = createMemberParser()
    const parsed = Array.from({ length: most + 2 }, () => parse(frame))
    expect(parsed.map(each => each === 'nothing')).toEqual([...Array<boolean>(most).fill(false), true, true])
  }))
