// The regression check from outside: a project of an embedder with its own scenario, whose figures are data, so that the check
// is judged and not this machine.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Comparison } from '../src/compare/judge.js'
import { getFingerprint, type Baseline } from '../src/report/files.js'
import { describeMachine } from '../src/run/machine.js'
import { bench, type Ended } from './bench.js'

/** Each comparison starts some processes. */
const TIMEOUT_MS = 90_000

const packages = fileURLToPath(new URL('../../', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'sallyport-embedder-'))
const temporary = mkdtempSync(join(tmpdir(), 'sallyport-temporary-'))
afterAll(() => [project, temporary].forEach(folder => rmSync(folder, { recursive: true, force: true })))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true })
  writeFileSync(join(project, path), text)
}

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], {
    cwd: project,
    encoding: 'utf8',
  })

/** Links the libraries of this checkout, as an install would. */
function installIn(folder: string): void {
  mkdirSync(join(folder, 'node_modules', '@sallyport'), { recursive: true })
  for (const name of ['core', 'frontend', 'protocol']) {
    symlinkSync(join(packages, name), join(folder, 'node_modules', '@sallyport', name), 'junction')
  }
}

/** Three arms, whose times stand in a module of the project. The figures of two rounds are never quite the same. */
const SCENARIO = `
import { cost, spare } from '../src/cost.js'
const payload = { id: 'none', title: 'nothing', calls: [] }
const kind = { id: 'time', title: 'time', unit: 'µs', better: 'lower' }
const arm = (id, times) => ({
  id,
  title: id,
  open: async () => {
    if (times() === null) throw new Error('the engine is gone')
    let round = 0
    return { measure: async () => ({ time: times() * (1 + 0.01 * (round++ % 3)) }), close: async () => {} }
  },
})
export default {
  id: 'search',
  title: 'Search',
  arms: [arm('other', () => 10), arm('ours', () => cost), arm('spare', () => spare)],
  cases: [{ id: 'all', title: 'all', task: { loop: 'calls' }, payload, figures: [kind] }],
  warmUpShare: 0,
}
`

/** Installs the base with the same libraries. */
const PREPARE = `
import { mkdirSync, symlinkSync } from 'node:fs'
mkdirSync('node_modules/@sallyport', { recursive: true })
for (const name of ['core', 'frontend', 'protocol']) {
  symlinkSync(${JSON.stringify(packages)} + name, 'node_modules/@sallyport/' + name, 'junction')
}
`

beforeAll(() => {
  write('bench/search.js', SCENARIO)
  write('src/cost.js', 'export const cost = 100, spare = 100\n')
  write('package.json', '{ "name": "embedder", "type": "module" }\n')
  write('.gitignore', 'node_modules\nout\nout-of-it\n')
  write('scripts/prepare.mjs', PREPARE)
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '-m', 'base')
  git('tag', 'before')
  installIn(project)
})

interface Compared extends Ended {
  read(name: string): string
  comparison: Comparison
}

/** @param costs - what the arms of the head take; those of the base take 100 */
async function compare(costs: string, ...args: string[]): Promise<Compared> {
  const out = mkdtempSync(join(project, 'out-'))
  write('src/cost.js', `export const ${costs}\n`)
  const env = { TMPDIR: temporary, TEMP: temporary }
  const given = ['compare', '--out', out, '--processes', '1', '--slot', '1', ...args]
  const ended = await bench(given, { cwd: project, env })
  const read = (name: string): string => readFileSync(join(out, name), 'utf8')
  const comparison = existsSync(join(out, 'compare.json')) ? (JSON.parse(read('compare.json')) as Comparison) : null
  return { ...ended, read, comparison: comparison! }
}

const SCENARIO_ARGS = ['--scenario', 'bench/search.js']
const REF_ARGS = ['--base', 'before', '--prepare', 'node scripts/prepare.mjs', ...SCENARIO_ARGS]
const getOutcomes = ({ first }: Comparison): string[] => first.map(({ figure, outcome }) => `${figure} ${outcome}`)

describe('a head within the tolerance of a git ref', () => {
  let compared: Compared
  beforeAll(async () => {
    compared = await compare('cost = 110, spare = 100', ...REF_ARGS, '--tolerance', '15%')
  }, TIMEOUT_MS)

  test('is fine, and its reference is not judged', () => {
    const { code, stdout, comparison } = compared
    expect(code).toBe(0)
    expect(stdout).toContain('No regression: none of 2 figures is slower than before')
    expect(getOutcomes(comparison)).toEqual(['search/all/ours/time fine', 'search/all/spare/time fine'])
    const base = { kind: 'ref', commit: git('rev-parse', 'before').trim() }
    expect(comparison).toMatchObject({ verdict: 'fine', base, repeat: [] })
  })

  test('leaves no checkout and no temporary directory behind', () => {
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1)
    expect(readdirSync(temporary)).toEqual([])
  })
})

describe('a head that is slower than a git ref in one arm', () => {
  let compared: Compared
  beforeAll(async () => {
    compared = await compare('cost = 110, spare = 100', ...REF_ARGS)
  }, TIMEOUT_MS)

  test('is measured twice, and is a regression with exit code 1', () => {
    const { code, stdout, stderr, comparison } = compared
    expect(code).toBe(1)
    expect(stderr).toContain('measured once more: search/all/ours/time')
    expect(stdout).toContain('Regression: 1 of 2 figures is slower')
    expect(comparison.repeat.map(({ figure }) => figure)).toEqual(['search/all/ours/time'])
    for (const [one] of [comparison.first, comparison.repeat]) expect(one!.slower!.factor).toBeCloseTo(1.1, 1)
  })

  test('is reported in every form', () => {
    expect(compared.read('compare.md')).toMatch(/^# .*\n\n🔴 \*\*Regression: /)
    expect(compared.read('compare.txt')).toContain('+10 %')
  })
})

test('a head that fails where a git ref worked is a regression', { timeout: TIMEOUT_MS }, async () => {
  const { code, stdout } = await compare('cost = null, spare = 100', ...REF_ARGS)
  expect(code).toBe(1)
  expect(stdout).toContain('the head fails: the engine is gone')
})

test('a failed preparation of a git ref exits with 2', async () => {
  expect(await compare('cost = 100, spare = 100', '--base', 'before', '--prepare', 'exit 7')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('failed in the checkout with exit code 7'),
  })
})

test('a directory is compared by the scenario that lies in it', { timeout: TIMEOUT_MS }, async () => {
  const directory = join(project, 'out-of-it')
  git('worktree', 'add', '--quiet', directory, 'before')
  installIn(directory)
  write('out-of-it/src/cost.js', 'export const cost = 200, spare = 100\n')
  const compared = await compare('cost = 100, spare = 100', '--base', directory, ...SCENARIO_ARGS)
  expect(compared.code).toBe(0)
  expect(getOutcomes(compared.comparison)).toEqual(['search/all/ours/time faster', 'search/all/spare/time fine'])
  rmSync(join(directory, 'bench'), { recursive: true })
  expect(await compare('cost = 100, spare = 100', '--base', directory, ...SCENARIO_ARGS)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/out-of-it has no .*search\.js/),
  })
  git('worktree', 'remove', '--force', directory)
})

describe('against a file', () => {
  async function writeBaseline(ratio: number, cores = 0): Promise<string> {
    const machine = await describeMachine()
    const fingerprint = { ...getFingerprint({ machine, scenarios: [] }), references: { search: 'other' } }
    const baseline: Baseline = {
      baselineVersion: 1,
      tool: { name: '@sallyport/bench', version: '0.1.0' },
      measuredAt: '2026-01-01T00:00:00.000Z',
      fingerprint: { ...fingerprint, cores: fingerprint.cores + cores },
      ratios: { 'search/all/ours/time': { ratio, interval: [ratio * 0.999, ratio * 1.001], better: 'lower' } },
    }
    const path = join(project, 'baseline.json')
    writeFileSync(path, JSON.stringify(baseline))
    return path
  }

  test('of another machine, a comparison is refused before anything is measured', async () => {
    const base = await writeBaseline(10, 1)
    const { code, stderr } = await compare('cost = 100, spare = 100', '--base', base, ...SCENARIO_ARGS)
    expect(code).toBe(2)
    expect(stderr).toMatch(/its cores: \d+ there, \d+ here/)
    expect(stderr).not.toContain('round')
  })

  test('ratios are compared with ratios, together with the noise check', { timeout: TIMEOUT_MS }, async () => {
    const base = await writeBaseline(8)
    const { stdout, stderr, comparison } = await compare('cost = 100, spare = 100', '--base', base, ...SCENARIO_ARGS)
    const { first, repeat, verdict, strayed } = comparison
    expect(stderr).toContain('measured once more: search/all/ours/time')
    expect([first, repeat].map(([one]) => one?.outcome)).toEqual(['slower', 'slower'])
    // The machine does not have to be steady while tests run.
    expect(verdict).toBe(strayed ? 'too noisy' : 'regression')
    expect(stdout).toContain(strayed ? 'Too noisy to judge' : 'Regression: 1 of 1 figure')
  })
})

test.each([
  [[], 'compare needs --base'],
  [['--base', '.', '--prepare', 'a', '--prepare', 'b'], '--prepare can be given once'],
  [['--base', 'no-such-thing'], "'no-such-thing' is not a file, a directory or a git ref"],
  [['--base', '.', '--tolerance', '5'], '--tolerance takes a percentage above 0'],
  [['--base', '.', '--filter', 'nonsense'], "nothing has 'nonsense' in its path"],
  [['--base', 'package.json'], 'neither report.json nor baseline.json'],
  [['--base', 'src'], 'has no @sallyport/'],
])('compare %j exits with 2', async (args, words) => {
  const { code, stderr, comparison } = await compare('cost = 100, spare = 100', ...args)
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(words) })
  expect(comparison).toBeNull()
})
