import { UsageError } from '@sallyport/protocol/internal/command-line'
import { formatBytes } from '#measure/text'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { prepareCall } from '../loops/calls.js'
import {
  asBytes,
  devtoolsProtocol,
  githubPullRequests,
  loadUserPayloads,
  mebibyte,
  payloadBytes,
  usualCall,
} from './payloads.js'

test('the size of a payload is the mean of its arguments as JSON', () => {
  expect(payloadBytes(mebibyte())).toBe(2 ** 20)
  expect(payloadBytes(usualCall)).toBe(52)
  expect(payloadBytes({ ...usualCall, calls: [] })).toBe(0)
})

test('the documents have the sizes that the reports name, and are no copies of each other', () => {
  expect([githubPullRequests(), devtoolsProtocol()].map(payload => formatBytes(payloadBytes(payload)))).toEqual([
    '23.7 KiB',
    '692 KiB',
  ])
  expect(new Set(githubPullRequests().calls.map(({ args }) => JSON.stringify(args))).size).toBe(29)
})

const directory = mkdtempSync(join(tmpdir(), 'sallyport-payload-'))
afterAll(() => rmSync(directory, { recursive: true }))

function write(name: string, content: string | Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

describe('a JSON document', () => {
  test('is a call whose arguments it is, with its size as JSON', async () => {
    const [payload, ...others] = await loadUserPayloads(write('My order.json', '{ "id": 7,  "tags": ["new"] }'))
    expect(others).toEqual([])
    const call = { command: 'echo', args: { id: 7, tags: ['new'] }, expected: { id: 7, tags: ['new'] } }
    expect(payload).toEqual({ id: 'my-order-json', title: 'My order.json', calls: [call] })
    expect(payloadBytes(payload!)).toBe('{"id":7,"tags":["new"]}'.length)
  })

  test('is within an object if it is a list, as arguments are an object', async () => {
    const [payload] = await loadUserPayloads(write('list.json', '[1, 2]'))
    expect(payload!.calls[0]!.args).toEqual({ value: [1, 2] })
  })

  test('as bytes is the bytes of its JSON', async () => {
    const [payload] = await loadUserPayloads(write('small.json', '{ "a": 1 }'))
    const { args, command } = prepareCall(asBytes(payload!).calls[0]!)
    expect({ command, text: Buffer.from(args as Uint8Array).toString() }).toEqual({
      command: 'echo_bytes',
      text: '{"a":1}',
    })
  })
})

test('any other file is bytes, which arrive as they are in the file', async () => {
  const bytes = Uint8Array.from([0, 255, 128, 10])
  const [payload] = await loadUserPayloads(write('image.bin', bytes))
  const call = prepareCall(payload!.calls[0]!)
  expect(call).toMatchObject({ command: 'echo_bytes', args: bytes })
  expect([...call.expected]).toEqual([...bytes])
  expect(payloadBytes(payload!)).toBe(4)
})

test('a module has a payload for each of its cases', async () => {
  const path = write(
    'cases.mjs',
    `export const cases = { order: () => ({ id: 7 }), picture: async () => new Uint8Array([1, 2]) }`,
  )
  const payloads = await loadUserPayloads(path)
  expect(payloads.map(({ id, calls }) => [id, calls[0]!.command])).toEqual([
    ['order', 'echo'],
    ['picture', 'echo_bytes'],
  ])
})

test('a file that is too large is refused before it is read', async () => {
  const path = write('huge.bin', '')
  truncateSync(path, 2 ** 40)
  await expect(loadUserPayloads(path)).rejects.toThrow("'huge.bin' has 1024 GiB, and at most 16.0 MiB can be measured")
})

test('a wrong file is a usage error that names it', () =>
  rows([
    ['no-such.json', undefined, 'no such file'],
    ['broken.json', '{', 'JSON'],
    ['empty.mjs', 'export const other = 1', 'Export `cases`'],
    ['throws.mjs', "throw new Error('no data')", 'no data'],
    ['no-function.mjs', 'export const cases = { order: { id: 7 } }', 'cases.order is not a function'],
    ['fails.mjs', "export const cases = { open: () => { throw new Error('no data') } }", 'cases.open failed: no data'],
    ['function.mjs', 'export const cases = { run: () => () => 1 }', 'JSON changes run.'],
    [
      'big.mjs',
      'export const cases = { id: () => ({ id: 7n }) }',
      "'id' has no JSON: Do not know how to serialize a BigInt",
    ],
    ['cycle.mjs', 'export const cases = { a: () => { const a = {}; a.a = a; return a } }', "'a' has no JSON: "],
    ['date.mjs', 'export const cases = { a: () => ({ b: [1, { at: new Date(0) }] }) }', 'JSON changes a.b.1.at'],
    ['map.mjs', 'export const cases = { a: () => ({ b: new Map([[1, 2]]) }) }', 'JSON changes a.b.'],
    ['long.mjs', "export const cases = { a: () => 'x'.repeat(2 ** 25) }", "'a' has 32.0 MiB, and at most 16.0 MiB"],
    ['none.bin', '', "'none.bin' is empty"],
    ['twice.mjs', "export const cases = { 'a b': () => 1, 'a-b': () => 2 }", 'Two names are the same'],
  ])(async (name, content, message) => {
    const path = content === undefined ? join(directory, name) : write(name, content)
    const error: unknown = await loadUserPayloads(path).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toContain(`--payload ${path}: `)
    expect((error as Error).message).toContain(message)
  }))
