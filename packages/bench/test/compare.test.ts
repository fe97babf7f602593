// The gate from outside: a project of an embedder with its own scenario, whose figures are data, so that what is judged is the
// gate and not this machine.
import { execFileSync, spawnSync } from 'node:child_process'
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
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { describeMachine } from '../src/run/machine.js'
import { fingerprintOf, type Baseline } from '../src/report/baseline.js'
import type { Comparison } from '../src/compare/report.js'

// Each comparison starts a dozen processes.
vi.setConfig({ testTimeout: 90_000 })

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
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

/** Leads to the libraries of this checkout, as an install would. */
function installIn(folder: string): void {
  mkdirSync(join(folder, 'node_modules', '@sallyport'), { recursive: true })
  for (const name of ['core', 'frontend', 'protocol']) {
    symlinkSync(join(packages, name), join(folder, 'node_modules', '@sallyport', name), 'junction')
  }
}

/** Two arms; what they take stands in a module of the project. A round’s figures are never quite the same. */
const SCENARIO = `
import { cost } from '../src/cost.js'
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
  arms: [arm('other', () => 10), arm('ours', () => cost)],
  cases: [{ id: 'all', title: 'all', task: { loop: 'calls' }, payload, figures: [kind] }],
  warmUpShare: 0,
}
`

/** Installs the base: it leads to the same libraries. */
const PREPARE = `
import { mkdirSync, symlinkSync } from 'node:fs'
mkdirSync('node_modules/@sallyport', { recursive: true })
for (const name of ['core', 'frontend', 'protocol']) {
  symlinkSync(${JSON.stringify(packages)} + name, 'node_modules/@sallyport/' + name, 'junction')
}
`

beforeAll(() => {
  write('bench/search.js', SCENARIO)
  write('src/cost.js', 'export const cost = 100\n')
  write('package.json', '{ "name": "embedder", "type": "module" }\n')
  write('.gitignore', 'node_modules\nout\nout-of-it\n')
  write('scripts/prepare.mjs', PREPARE)
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '-m', 'base')
  git('tag', 'before')
  installIn(project)
})

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

const OUT = join(project, 'out')
const read = (name: string): string => readFileSync(join(OUT, name), 'utf8')

function compare(...args: string[]): Ended {
  rmSync(OUT, { recursive: true, force: true })
  const given = ['compare', '--out', OUT, '--processes', '2', '--slot', '1', ...args]
  const env = { ...process.env, CI: '1', TMPDIR: temporary, TEMP: temporary }
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...given], {
    cwd: project,
    encoding: 'utf8',
    env,
  })
  return { code: status, stdout, stderr }
}

const againstRef = (...more: string[]): Ended =>
  compare('--base', 'before', '--prepare', 'node scripts/prepare.mjs', '--scenario', 'bench/search.js', ...more)

describe('against a git ref', () => {
  test('that is the same: nothing is slower, and of the reference nothing is said', () => {
    const { code, stdout, stderr } = againstRef()
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stdout).toContain('No regression: none of 1 figure is slower than before')
    const { first, verdict, base } = JSON.parse(read('compare.json')) as Comparison
    expect(first.map(({ figure }) => figure)).toEqual(['search/all/ours/time'])
    expect({ verdict, base }).toMatchObject({
      verdict: 'fine',
      base: { kind: 'ref', commit: git('rev-parse', 'before').trim() },
    })
  })

  test('that was faster: measured twice, red, and told in every form', () => {
    write('src/cost.js', 'export const cost = 110\n')
    const { code, stdout, stderr } = againstRef()
    expect(code).toBe(1)
    expect(stderr).toContain('measured once more: search/all/ours/time')
    expect(stdout).toContain('Regression: 1 of 1 figure is slower')
    expect(read('compare.md')).toMatch(/^# .*\n\n🔴 \*\*Regression: /)
    expect(read('compare.txt')).toContain('+10 %')
    const { first, repeat } = JSON.parse(read('compare.json')) as Comparison
    for (const [one] of [first, repeat]) expect(one!.slower!.factor).toBeCloseTo(1.1, 1)
  })

  test('within the tolerance it is fine', () => {
    write('src/cost.js', 'export const cost = 110\n')
    expect(againstRef('--tolerance', '15%').code).toBe(0)
  })

  test('whose head fails where it worked', () => {
    write('src/cost.js', 'export const cost = null\n')
    const { code, stdout } = againstRef()
    expect(code).toBe(1)
    expect(stdout).toContain('the head fails: the engine is gone')
  })

  test('leaves nothing behind', () => {
    againstRef()
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1)
    expect(readdirSync(temporary)).toEqual([])
  })

  test('whose preparation fails: exit code 2', () => {
    const { code, stderr } = againstRef('--prepare', 'exit 7')
    expect(code).toBe(2)
    expect(stderr).toContain('--prepare can be given once')
    const failed = compare('--base', 'before', '--prepare', 'exit 7')
    expect(failed).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('failed in the checkout with exit code 7'),
    })
  })
})

test('against a folder, with the scenario that lies in it', () => {
  write('src/cost.js', 'export const cost = 100\n')
  const folder = join(project, 'out-of-it')
  execFileSync('git', ['worktree', 'add', '--quiet', folder, 'before'], { cwd: project })
  installIn(folder)
  write('out-of-it/src/cost.js', 'export const cost = 200\n')
  const { code, stdout } = compare('--base', folder, '--scenario', 'bench/search.js')
  expect(code).toBe(0)
  expect(stdout).toContain('faster')
  rmSync(join(folder, 'bench'), { recursive: true })
  expect(compare('--base', folder, '--scenario', 'bench/search.js')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/out-of-it has no .*search\.js/),
  })
  execFileSync('git', ['worktree', 'remove', '--force', folder], { cwd: project })
})

describe('against a file', () => {
  async function baselineWith(ratio: number, cores = 0): Promise<string> {
    const machine = await describeMachine()
    const fingerprint = { ...fingerprintOf({ machine, scenarios: [] }), references: { search: 'other' } }
    const path = join(project, 'baseline.json')
    const baseline: Baseline = {
      baselineVersion: 1,
      tool: { name: '@sallyport/bench', version: '0.1.0' },
      measuredAt: '2026-01-01T00:00:00.000Z',
      fingerprint: { ...fingerprint, cores: fingerprint.cores + cores },
      ratios: { 'search/all/ours/time': { ratio, interval: [ratio * 0.999, ratio * 1.001], better: 'lower' } },
    }
    writeFileSync(path, JSON.stringify(baseline))
    return path
  }

  test('of another machine: refused with a clear word, before anything is measured', async () => {
    const { code, stderr } = compare('--base', await baselineWith(10, 1), '--scenario', 'bench/search.js')
    expect(code).toBe(2)
    expect(stderr).toMatch(/its cores: \d+ there, \d+ here/)
    expect(stderr).not.toContain('round')
  })

  test('ratios are compared with ratios, together with the check for noise', async () => {
    write('src/cost.js', 'export const cost = 100\n')
    const { stdout, stderr } = compare('--base', await baselineWith(8), '--scenario', 'bench/search.js')
    expect(stderr).toContain('measured once more: search/all/ours/time')
    const { first, repeat, verdict, strayed } = JSON.parse(read('compare.json')) as Comparison
    expect([first, repeat].map(([one]) => one?.outcome)).toEqual(['slower', 'slower'])
    // Whether this machine is steady while tests run is not for this test to say.
    expect(verdict).toBe(strayed ? 'too noisy' : 'regression')
    expect(stdout).toContain(strayed ? 'Too noisy to judge' : 'Regression: 1 of 1 figure')
  })
})

describe('usage', () => {
  test.each([
    [['compare'], 'compare needs --base'],
    [['compare', '--base', 'no-such-thing'], "'no-such-thing' is no file, no folder and no git ref"],
    [['compare', '--base', '.', '--tolerance', '5'], '--tolerance takes a percentage above 0'],
    [['compare', '--base', '.', '--filter', 'nonsense'], "nothing has 'nonsense' in its path"],
    [['compare', '--base', 'package.json'], 'neither report.json nor baseline.json'],
    [['compare', '--base', 'src'], 'has no @sallyport/'],
  ])('%j: exit code 2', (args, words) => {
    rmSync(OUT, { recursive: true, force: true })
    const ran = spawnSync(process.execPath, [cli, ...args, '--out', OUT], { cwd: project, encoding: 'utf8' })
    const { status, stderr } = ran
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(words) })
    expect(existsSync(join(OUT, 'compare.json'))).toBe(false)
  })
})
