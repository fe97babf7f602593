import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { GOALS } from '../src/goals.js'
import { QUICK } from '../src/plan.js'
import { findFigure, type Report } from '../src/report/report.js'
import type { Scenario } from '../src/scenario.js'
import { allScenarios, linkScenarios, namedScenarios } from '../src/scenarios/index.js'

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
const out = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
afterAll(() => rmSync(out, { recursive: true }))

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function bench(
  args: string[],
  watch?: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void,
): Promise<Ended> {
  const child = spawn(process.execPath, [cli, ...args], { env: { ...process.env, CI: '1' } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => (stdout += chunk))
  child.stderr.on('data', chunk => {
    stderr += chunk
    watch?.(stderr, signal => child.kill(signal))
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}

function expectEveryFigure(report: Report, scenarios: readonly Scenario[]): void {
  for (const scenario of scenarios) {
    for (const one of scenario.cases) {
      for (const [at, arm] of scenario.arms.entries()) {
        for (const { id } of one.figures) {
          const figure = findFigure(report, `${scenario.id}/${one.id}/${arm.id}/${id}`)
          // A silent process may take no time at all.
          if (one.task.loop === 'idle' && figure) continue
          expect(figure?.median).toBeGreaterThan(0)
          expect(figure?.ratio).toBeGreaterThan(0)
          if (at === 0) expect(figure?.ratio).toBe(1)
        }
      }
    }
  }
}

describe('usage', () => {
  test('--help names every option, shows examples and the exit codes', async () => {
    const { code, stdout } = await bench(['--help'])
    expect(code).toBe(0)
    for (const option of [
      '--quick',
      '--full',
      '--filter',
      '--out',
      '--json',
      '--rounds',
      '--slot',
      '--help',
      '--version',
    ]) {
      expect(stdout).toContain(option)
    }
    expect(stdout).toContain('Exit codes: 0 measured')
  })

  test('--version', async () => {
    expect((await bench(['--version'])).stdout).toMatch(/\d+\.\d+\.\d+/)
  })

  test('an unknown option: exit code 2, and the options that there are', async () => {
    const { code, stdout, stderr } = await bench(['--fast'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('Unknown option `--fast`')
    expect(stderr).toContain('There are --quick --full --filter --out --json')
  })

  test('a filter that matches nothing: exit code 2, and everything that there is', async () => {
    const { code, stderr } = await bench(['--filter', 'nonsense'])
    expect(code).toBe(2)
    expect(stderr).toContain("nothing has 'nonsense' in its path")
    for (const { id, cases, arms } of [...allScenarios(), ...Object.values(namedScenarios()).flat()]) {
      for (const name of [id, ...cases.map(one => one.id), ...arms.map(arm => arm.id)]) expect(stderr).toContain(name)
    }
  })

  test('a broken regular expression and a folder that can’t be made: exit code 2, before anything runs', async () => {
    expect(await bench(['--filter', '/(/'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--filter: Invalid'),
    })
    expect(await bench(['--out', join(cli, 'no')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--out '),
    })
  })
})

describe('a run', () => {
  test(
    'of everything, as short as can be: each figure is measured, verified and compared',
    { timeout: 60_000 },
    async () => {
      const folder = join(out, 'all')
      const { code, stdout, stderr } = await bench(['--rounds', '1', '--slot', '5', '--out', folder])
      expect({ code, stderr }).toMatchObject({ code: 0 })
      expect(stderr).toContain('A call and its answer: 1 round in')
      expect(stdout).toContain('In short')
      expect(stdout).toContain('What isolation costs')
      const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report
      expectEveryFigure(report, allScenarios())
      expect(report.goals).toEqual([])
      expect(readFileSync(join(folder, 'report.md'), 'utf8')).toContain('# Sallyport benchmark')
    },
  )

  test('of the links, as short as can be: each goal is measured', { timeout: 120_000 }, async () => {
    const folder = join(out, 'links')
    const { code, stdout, stderr } = await bench(['--filter', 'link', '--rounds', '1', '--slot', '2', '--out', folder])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stdout).toMatch(/Goals: \d+ met, \d+ missed/)
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report
    expectEveryFigure(report, linkScenarios())
    expect(report.goals.map(({ id }) => id)).toEqual(GOALS.map(({ id }) => id))
    for (const { measured } of report.goals) expect(measured).toEqual(expect.any(Number))
  })

  test('of the details of sandboxes and of the cipher, as short as can be', { timeout: 120_000 }, async () => {
    const folder = join(out, 'prices')
    const filter = '/^(sandbox|cipher)-/'
    const { code, stderr } = await bench(['--filter', filter, '--rounds', '1', '--slot', '2', '--out', folder])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const { sandbox, cipher } = namedScenarios()
    expectEveryFigure(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report, [...sandbox, ...cipher])
  })

  test('--json prints the report and nothing else, and --filter measures a part with its reference', async () => {
    const folder = join(out, 'json')
    const { code, stdout } = await bench([
      '--json',
      '--rounds',
      '1',
      '--slot',
      '5',
      '--filter',
      'stream/channel/brown',
      '--out',
      folder,
    ])
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as Report
    expect(report).toEqual(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')))
    expect(report.filter).toBe('stream/channel/brown')
    expect(
      report.scenarios.map(({ id, arms, cases }) => [id, arms.map(arm => arm.id), cases.map(one => one.id)]),
    ).toEqual([['stream', ['raw', 'brownfield-json'], ['channel']]])
    expect(report.isolationCost).toEqual([])
  })

  test('Ctrl-C ends it with 130 and without a report', async () => {
    const folder = join(out, 'stopped')
    const { code, stdout, stderr } = await bench(
      ['--slot', '500', '--filter', 'call/', '--out', folder],
      (told, kill) => {
        if (told.includes('A call and its answer')) kill('SIGINT')
      },
    )
    expect(code).toBe(130)
    expect(stderr).toContain('Stopped. No report was written.')
    expect(stdout).not.toContain('In short')
    expect(existsSync(join(folder, 'report.json'))).toBe(false)
  })
})

test('a quick run ends within a minute by its plan', () => {
  expect(QUICK.budgetMs).toBeLessThan(60_000)
})
