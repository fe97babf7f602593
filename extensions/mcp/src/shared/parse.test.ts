import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { parseBounded } from './parse.js'

const members = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, at) => [at, 1]))
const toText = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

test('what the SDK looks at one by one has 10 000 members at most, in a message or a batch, and the rest any number', async () => {
  const text = 'more than 10000 members'
  await rows([
    members(10_001),
    { result: members(10_000) },
    { result: { structuredContent: members(9_999) } },
    { params: { arguments: members(5000), _meta: members(5000) } },
    [[{ params: members(5000) }, { params: members(5000) }]],
  ])(message => expect(() => parseBounded(toText(message))).toThrow(text))
  await rows([
    members(10_000),
    { result: { structuredContent: { table: members(20_000) } } },
    { result: [members(20_000)] },
  ])(message => expect(parseBounded(toText(message))).toEqual(message))
})

test('a message has 64 levels, and as many values as its reader takes', () => {
  expect(() => parseBounded(Buffer.from('['.repeat(70)))).toThrow('nested deeper than 64')
  expect(() => parseBounded(toText([1, 2, 3]), 3)).toThrow('more than 3 values')
  expect(parseBounded(toText([1, 2]), 4)).toEqual([1, 2])
})
