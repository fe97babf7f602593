// Scenarios, documents and codecs of the user's own: one run has all of them.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findFigure, type Report, type ScenarioReport } from '../src/report/report.js'
import { bench, readReport, type Ended } from './bench.js'

const examples = fileURLToPath(new URL('../examples/', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'sallyport-additions-'))
afterAll(() => rmSync(directory, { recursive: true }))

const at = (path: string): string => join(directory, path)
const FILES = {
  'My order.json': JSON.stringify({ lines: [{ sku: 'A-1', count: 2 }] }),
  'one/order.json': '[1,2]',
  'two/order.json': JSON.stringify({ text: 'x'.repeat(989) }),
  'lossy.mjs': "export default { name: 'lossy', encode: () => new Uint8Array(), decode: () => ({}) }",
}

describe('a run with files of the user', () => {
  let ended: Ended
  let report: Report
  beforeAll(async () => {
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(at(path)), { recursive: true })
      writeFileSync(at(path), text)
    }
    const payloads = ['My order.json', 'one/order.json', 'two/order.json'].flatMap(path => ['--payload', at(path)])
    const codecs = ['--codec', join(examples, 'v8-codec.js'), '--codec', at('lossy.mjs')]
    const shortest = ['--processes', '1', '--rounds', '1', '--slot', '2', '--out', directory]
    ended = await bench(['--scenario', join(examples, 'search.js'), ...payloads, ...codecs, ...shortest])
    report = readReport(directory)
  }, 120_000)
  const getCases = (id: string): ScenarioReport['cases'] => report.scenarios.find(one => one.id === id)!.cases

  test('measures these alone, after the noise check', () => {
    const ids = ['noise', 'search', 'own-payloads', 'own-codec-v8', 'own-codec-lossy']
    expect(report.scenarios.map(({ id }) => id)).toEqual(ids)
  })

  test('measures a scenario as in the docs', () => {
    for (const arm of ['direct', 'bus']) expect(findFigure(report, `search/1/${arm}/p50`)?.median).toBeGreaterThan(0)
  })

  test('measures each document, also those of one name, and sends a list within an object', () => {
    expect(getCases('own-payloads').map(({ id, title, payloadBytes }) => [id, title, payloadBytes])).toEqual([
      ['my-order-1', 'My order', 35],
      ['my-order-8', 'My order, 8 in flight', 35],
      ['order-1', 'order', 18],
      ['order-8', 'order, 8 in flight', 18],
      ['order-2-1', 'order (2)', 1000],
      ['order-2-8', 'order (2), 8 in flight', 1000],
    ])
    for (const path of ['my-order-1/isolation-ring-msgpack', 'order-1/ring-json'])
      expect(findFigure(report, `own-payloads/${path}/p50`)?.median).toBeGreaterThan(0)
  })

  test('compares a codec as in the docs', () => {
    expect(findFigure(report, 'own-codec-v8/devtools/v8/each')?.ratio).toBeGreaterThan(0)
  })

  test('fails with exit code 1, and without a figure, when a codec loses something', () => {
    expect(ended.code).toBe(1)
    expect(getCases('own-codec-lossy')[0]?.results.at(-1)).toEqual({
      arm: 'lossy',
      figures: [],
      error: 'The codec read something else than it wrote',
    })
    expect(ended.stdout).toContain('Failed: own-codec-lossy/*/lossy: The codec read something else than it wrote')
  })
})

test.each(['search.js', 'v8-codec.js'])('the docs show %s as it is', name => {
  const docs = readFileSync(new URL('../../../docs/benchmarking.md', import.meta.url), 'utf8')
  expect(docs).toContain(readFileSync(join(examples, name), 'utf8'))
})

describe('a usage error with exit code 2', () => {
  test.each([
    ['--scenario', 'nothing.js', /--scenario .*nothing\.js: Cannot find module/],
    ['--payload', 'nothing.json', /--payload .*nothing\.json: ENOENT/],
    ['--codec', 'nothing.js', /--codec .*nothing\.js: Cannot find module/],
  ])('is shown before anything runs when %s %s does not exist', async (option, name, message) => {
    expect(await bench([option, at(name), '--out', at('never')])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(message),
    })
  })

  test('is shown when two scenarios have one name', async () => {
    const path = join(examples, 'search.js')
    const { code, stderr } = await bench(['--scenario', path, '--scenario', path, '--out', at('never')])
    expect({ code, stderr }).toEqual({ code: 2, stderr: "sallyport-bench: two scenarios are called 'search'\n" })
  })
})
