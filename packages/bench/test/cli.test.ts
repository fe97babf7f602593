import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { GOALS } from '../src/goals.js'
import { findFigure, type Report } from '../src/report/report.js'
import type { Scenario } from '../src/model/scenario.js'
import { leaveOut } from '../src/command/leave-out.js'
import { allScenarios } from '../src/scenarios/index.js'
import { leavesOut } from '../src/arms/features.js'
import type { Loop } from '../src/model/scenario.js'

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
/** Of a machine that has much else to do. */
const LONG = { timeout: 600_000 }
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

/** A silent process may take no time at all, and nobody may refuse or wait for anything. */
const mayBeNothing = (loop: Loop, figure: string): boolean =>
  loop === 'idle' || figure === 'refused' || figure === 'waited' || (loop === 'slow-consumer' && figure === 'rss')

function expectEveryFigure(report: Report, scenarios: readonly Scenario[]): void {
  for (const scenario of scenarios) {
    for (const one of scenario.cases) {
      for (const [at, arm] of scenario.arms.entries()) {
        if (leavesOut(arm.id, one.payload)) continue
        for (const { id } of one.figures) {
          const figure = findFigure(report, `${scenario.id}/${one.id}/${arm.id}/${id}`)
          if (figure && mayBeNothing(one.task.loop, id)) continue
          expect(figure?.median).toBeGreaterThan(0)
          if (leavesOut(scenario.arms[0].id, one.payload)) continue
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
      '--processes',
      '--all',
      '--raw',
      '--scenario',
      '--payload',
      '--codec',
      '--help',
      '--version',
    ]) {
      expect(stdout).toContain(option)
    }
    expect(stdout).toContain('Exit codes: 0 fine')
  })

  test('--version', async () => {
    expect((await bench(['--version'])).stdout).toMatch(/\d+\.\d+\.\d+/)
  })

  test('an unknown option: exit code 2, and the options that there are', async () => {
    const { code, stdout, stderr } = await bench(['--fast'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('Unknown option `--fast`')
    expect(stderr).toContain('There are --scenario --payload --codec --all --quick --full --filter')
  })

  test('a filter that matches nothing: exit code 2, and everything that there is', async () => {
    const { code, stderr } = await bench(['--filter', 'nonsense'])
    expect(code).toBe(2)
    expect(stderr).toContain("nothing has 'nonsense' in its path")
    for (const { id } of allScenarios()) expect(stderr).toContain(id)
  })

  test('list names every scenario, case and arm', async () => {
    const { code, stdout } = await bench(['list'])
    expect(code).toBe(0)
    for (const { id, title, cases, arms } of allScenarios()) {
      for (const name of [id, title, ...cases.map(one => one.id), ...arms.map(arm => arm.id)])
        expect(stdout).toContain(name)
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

/** With so few rounds a run may well be too noisy to judge. */
const MEASURED = [0, 3]

/** The shortest run there is. */
const SHORTEST = ['--processes', '1', '--rounds', '1', '--slot', '2']

describe('a run', () => {
  test('of everything, as short as can be: each figure is measured, verified and compared', LONG, async () => {
    const folder = join(out, 'all')
    const { code, stdout, stderr } = await bench(['--all', ...SHORTEST, '--out', folder])
    expect(stdout.match(/Failed: .*/g)).toBeNull()
    expect(MEASURED).toContain(code)
    expect(stderr).toMatch(/Noise: .*: 1 round in/)
    for (const words of ['In short', 'What isolation costs', 'Goals: ']) expect(stdout).toContain(words)
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report
    // Without a NATS server, what needs one.
    const { scenarios } = leaveOut(allScenarios())
    expectEveryFigure(report, scenarios)
    const measured = GOALS.filter(({ figure }) => scenarios.some(({ id }) => figure.startsWith(`${id}/`)))
    expect(report.goals.map(({ id }) => id)).toEqual(measured.map(({ id }) => id))
    for (const { measured } of report.goals) expect(measured).toEqual(expect.any(Number))
    expect(readFileSync(join(folder, 'report.md'), 'utf8')).toContain('# Sallyport benchmark')
  })

  test('of two processes, with as many rounds in each', async () => {
    const folder = join(out, 'processes')
    await bench(['--filter', 'noise', '--processes', '2', '--rounds', '2', '--slot', '2', '--out', folder])
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report
    const figure = findFigure(report, 'noise/1/ring-json-again/p50')!
    expect(figure.processes.map(rounds => rounds.length)).toEqual([2, 2])
    expect(figure.interval).toEqual([expect.any(Number), expect.any(Number)])
    expect(report.noise?.checks).toHaveLength(2)
  })

  test('--raw keeps each single latency of what is measured call by call', async () => {
    const folder = join(out, 'raw')
    const filter = '/^(noise|sparse)/'
    await bench(['--raw', '--filter', filter, '--processes', '2', '--rounds', '1', '--slot', '5', '--out', folder])
    const lines = readFileSync(join(folder, 'samples.ndjson'), 'utf8').trim().split('\n')
    const samples = lines.map(line => JSON.parse(line) as { scenario: string; case: string; arm: string; us: number[] })
    expect(samples).toHaveLength(2 * (3 + 3))
    expect(new Set(samples.map(one => `${one.scenario}/${one.case}`))).toEqual(new Set(['noise/1', 'sparse/4ms']))
    for (const { us } of samples) for (const each of us) expect(each).toBeGreaterThan(0)
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report
    const [first] = samples.filter(one => one.arm === 'ring-json')
    const middle = first!.us.toSorted((a, b) => a - b)[Math.floor(first!.us.length / 2)]!
    const p50 = findFigure(report, 'noise/1/ring-json/p50')!.processes[0]![0]!
    expect(middle / p50).toBeCloseTo(1, 1)
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
      'channel/channel/ring',
      '--out',
      folder,
    ])
    expect(MEASURED).toContain(code)
    const report = JSON.parse(stdout) as Report
    expect(report).toEqual(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')))
    expect(report.filter).toBe('channel/channel/ring')
    expect(
      report.scenarios.map(({ id, arms, cases }) => [id, arms.map(arm => arm.id), cases.map(one => one.id)]),
    ).toEqual([
      ['noise', expect.any(Array), ['1', '64']],
      ['channel', ['raw', 'ring-json'], ['channel']],
    ])
    expect(report.isolationCost).toEqual([])
  })

  test('Ctrl-C ends it with 130 and without a report', async () => {
    const folder = join(out, 'stopped')
    const { code, stdout, stderr } = await bench(
      ['--slot', '500', '--filter', 'noise', '--out', folder],
      (told, kill) => {
        if (told.includes('Noise')) kill('SIGINT')
      },
    )
    expect(code).toBe(130)
    expect(stderr).toContain('Stopped. No report was written.')
    expect(stdout).not.toContain('In short')
    expect(existsSync(join(folder, 'report.json'))).toBe(false)
  })
})
