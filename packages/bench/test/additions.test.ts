import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { findFigure, type Report } from '../src/report/report.js'

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
const examples = fileURLToPath(new URL('../examples/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sallyport-additions-'))
afterAll(() => rmSync(folder, { recursive: true }))

function bench(...args: string[]): { status: number | null; stderr: string; report(): Report } {
  const shortest = ['--processes', '1', '--rounds', '1', '--slot', '2', '--out', folder]
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args, ...shortest], { encoding: 'utf8' })
  return { status, stderr, report: () => JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report }
}

test('a scenario of the user’s, as in the docs', () => {
  const { status, stderr, report } = bench('--scenario', join(examples, 'search.js'))
  expect({ measured: [0, 3].includes(status!), stderr }).toMatchObject({ measured: true })
  expect(report().scenarios.map(({ id }) => id)).toEqual(['noise', 'search'])
  for (const arm of ['direct', 'bus']) expect(findFigure(report(), `search/1/${arm}/p50`)?.median).toBeGreaterThan(0)
})

test.each(['search.js', 'v8-codec.js'])('the docs show %s as it is', name => {
  const docs = readFileSync(new URL('../../../docs/benchmarking.md', import.meta.url), 'utf8')
  expect(docs).toContain(readFileSync(join(examples, name), 'utf8'))
})

test('a document of the user’s', () => {
  const path = join(folder, 'My order.json')
  writeFileSync(path, JSON.stringify({ lines: [{ sku: 'A-1', count: 2 }] }))
  const { report } = bench('--payload', path)
  const [, own] = report().scenarios
  expect(own?.cases.map(({ id, title, payloadBytes }) => [id, title, payloadBytes])).toEqual([
    ['my-order-1', 'My order', 35],
    ['my-order-8', 'My order, 8 in flight', 35],
  ])
  expect(findFigure(report(), 'own-payloads/my-order-1/isolation-ring-msgpack/p50')?.median).toBeGreaterThan(0)
})

test('documents of one name are measured each by itself, and a list goes within an object', () => {
  const paths = ['one', 'two'].map(name => join(folder, name, 'order.json'))
  for (const path of paths) mkdirSync(dirname(path))
  writeFileSync(paths[0]!, '[1,2]')
  writeFileSync(paths[1]!, JSON.stringify({ text: 'x'.repeat(989) }))
  const { report } = bench('--payload', paths[0]!, '--payload', paths[1]!)
  const [, own] = report().scenarios
  expect(own?.cases.map(({ id, title, payloadBytes }) => [id, title, payloadBytes])).toEqual([
    ['order-1', 'order', 18],
    ['order-8', 'order, 8 in flight', 18],
    ['order-2-1', 'order (2)', 1000],
    ['order-2-8', 'order (2), 8 in flight', 1000],
  ])
  expect(findFigure(report(), 'own-payloads/order-1/ring-json/p50')?.median).toBeGreaterThan(0)
})

test('a codec of the user’s, as in the docs', () => {
  const { report } = bench('--codec', join(examples, 'v8-codec.js'))
  expect(findFigure(report(), 'own-codec-v8/devtools/v8/each')?.ratio).toBeGreaterThan(0)
})

test('one that loses something fails, and is no figure', () => {
  const path = join(folder, 'lossy.mjs')
  writeFileSync(path, "export default { name: 'lossy', encode: () => new Uint8Array(), decode: () => ({}) }")
  const { status, report } = bench('--codec', path)
  expect(status).toBe(1)
  const [, own] = report().scenarios
  expect(own?.cases[0]?.results.at(-1)).toEqual({
    arm: 'lossy',
    figures: [],
    error: 'The codec read something else than it wrote',
  })
})

test.each([
  ['--scenario', 'nothing.js', /--scenario .*nothing\.js: Cannot find module/],
  ['--payload', 'nothing.json', /--payload .*nothing\.json: ENOENT/],
  ['--codec', 'nothing.js', /--codec .*nothing\.js: Cannot find module/],
])('%s %s that is not there: exit code 2, before anything runs', (option, name, message) => {
  const { status, stderr } = bench(option, join(folder, name))
  expect(status).toBe(2)
  expect(stderr).toMatch(message)
})

test('two with one name: exit code 2', () => {
  const path = join(examples, 'search.js')
  const { status, stderr } = bench('--scenario', path, '--scenario', path)
  expect({ status, stderr }).toEqual({ status: 2, stderr: "sallyport-bench: two scenarios are called 'search'\n" })
})
