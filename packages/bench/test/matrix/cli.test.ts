import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Scenario } from '../../src/model/scenario.js'
import { everyFigure, findFigure, type Report } from '../../src/report/report.js'
import { allScenarios, leaveOut, parseFilter, select } from '../../src/scenarios/index.js'
import { bench, cli, type Ended, readReport } from '../bench.js'

/** For a machine that has much else to do. */
const TIMEOUT_MS = 600_000

/** With so few rounds, a run can well be too noisy to judge. */
const MEASURED = [0, 3]

const out = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
afterAll(() => rmSync(out, { recursive: true }))

describe('usage', () => {
  test('shows the version with --version', async () => {
    expect((await bench(['--version'])).stdout).toMatch(/\d+\.\d+\.\d+/)
  })

  test('exits with 2 and names every scenario when a filter matches nothing', async () => {
    const { code, stderr } = await bench(['--filter', 'nonsense'])
    expect(code).toBe(2)
    expect(stderr).toContain("No path contains 'nonsense'")
    for (const { id } of allScenarios()) expect(stderr).toContain(id)
  })

  test('lists every scenario with its cases and arms', async () => {
    const { code, stdout } = await bench(['list'])
    expect(code).toBe(0)
    for (const { id, title, cases, arms } of allScenarios()) {
      for (const name of [id, title, ...cases.map(entry => entry.id), ...arms.map(arm => arm.id)])
        expect(stdout).toContain(name)
    }
  })

  test.each([
    ['a broken regular expression', ['--filter', '('], '--filter: Invalid'],
    ['a directory that cannot be made', ['--out', join(cli, 'no')], '--out '],
    ['a directory in which nothing can be made', ['--out', '/proc/no'], '--out /proc/no: E'],
  ])('exits with 2 before anything runs after %s', async (_, args, message) => {
    expect(await bench(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
  })

  test('exits with 130 and writes no report after Ctrl-C', async () => {
    const directory = join(out, 'stopped')
    let isStopped = false
    const { code, stdout, stderr } = await bench(['--filter', 'speed', '--out', directory], {
      // A second one would end the process at once.
      watch: (said, kill) => {
        if (!isStopped && said.includes('The speed of each format')) kill('SIGINT')
        isStopped ||= said.includes('The speed of each format')
      },
    })
    expect(code).toBe(130)
    expect(stderr).toContain('Stopped. No report was written.')
    expect(stdout).not.toContain('measured')
    expect(existsSync(join(directory, 'report.json'))).toBe(false)
  })
})

function expectEveryFigure(report: Report, scenarios: readonly Scenario[]): void {
  const figures = new Map(everyFigure(report).map(({ path, figure }) => [path, figure]))
  for (const scenario of scenarios) {
    for (const entry of scenario.cases) {
      for (const [at, arm] of scenario.arms.entries()) {
        for (const { id } of entry.figures) {
          const figure = figures.get(`${scenario.id}/${entry.id}/${arm.id}/${id}`)
          // Memory is a difference of two readings. Garbage that is released between them makes it negative, without a ratio.
          if (figure?.unit === 'B') continue
          // A busy machine can bear no load at all.
          if (scenario.id === 'load') continue
          expect(figure?.median).toBeGreaterThan(0)
          expect(figure?.ratio).toBeGreaterThan(0)
          if (at === 0) expect(figure?.ratio).toBe(1)
        }
      }
    }
  }
}

/** Left out: arms that other scenarios open as well, and many plugins. */
const PART = '(throughput/[^/]+/(port|isolation|comlink)|many/10{2,}/)'

/** The filter of these scenarios. */
const toFilter = (scenarios: readonly Scenario[]): string => `^(?!${PART})(${scenarios.map(({ id }) => id).join('|')})/`

const isWanted = parseFilter(toFilter(allScenarios()))
// What needs a wall is left out without one.
const able = select((await leaveOut(allScenarios())).scenarios, isWanted)

/** Every scenario, in two runs at a time: most of a run waits for threads to start. */
const HALVES = [0, 1].map(half => able.filter((_, at) => at % 2 === half))

describe('the shortest run of every scenario', () => {
  let halves: { ended: Ended; report: Report; text: string; scenarios: readonly Scenario[] }[]
  beforeAll(async () => {
    halves = await Promise.all(
      HALVES.map(async (scenarios, half) => {
        const directory = join(out, `half-${half}`)
        const shortest = ['--rounds', '1', '--slot', '1', '--out', directory]
        const ended = await bench(['--filter', toFilter(scenarios), ...shortest])
        const text = readFileSync(join(directory, 'report.md'), 'utf8')
        return { ended, report: readReport(directory), text, scenarios }
      }),
    )
  }, TIMEOUT_MS)

  test('has no failures, and exits with 0', () => {
    for (const { ended } of halves) {
      expect(ended.stdout.match(/Failed: .*/g)).toBeNull()
      expect(MEASURED).toContain(ended.code)
    }
  })

  test('measures, verifies and compares every figure', () => {
    for (const { report, scenarios } of halves) expectEveryFigure(report, scenarios)
  })

  test('shows its progress on stderr and its tables on stdout, and writes the report', () => {
    const stdout = halves.map(({ ended }) => ended.stdout).join('\n')
    for (const words of [
      'A 100 B call costs ',
      'what you send',
      'How fast is each format?',
      'Many plugins in one host',
    ])
      expect(stdout).toContain(words)
    for (const { ended } of halves) {
      const lines = ended.stdout.trimEnd().split('\n')
      expect(lines.at(-1)).toMatch(/^ More with --all, and in file:\/\/.*half-\d\/report\.html$/)
    }
    for (const { ended, text } of halves) {
      expect(ended.stderr).toMatch(/: \d+ rounds? in/)
      expect(text).toContain('# Sallyport benchmark')
    }
  })
})

describe('a run of payloads', () => {
  const directory = join(out, 'payloads')
  const file = join(out, 'cases.mjs')
  let ended: Ended
  beforeAll(async () => {
    writeFileSync(
      file,
      `export const cases = { order: () => ({ id: 7, tags: ['new'] }), picture: () => new Uint8Array(4096).fill(7) }`,
    )
    const shortest = ['--rounds', '2', '--slot', '1', '--out', directory]
    ended = await bench(['--payload', file, ...shortest])
  }, TIMEOUT_MS)

  test('measures every transport that this machine has, for documents and for bytes', () => {
    expect(MEASURED).toContain(ended.code)
    const { scenarios } = readReport(directory)
    expect(scenarios.map(({ id }) => id)).toEqual(['payload-order', 'payload-picture'])
    for (const { cases, arms } of scenarios) {
      for (const { results } of cases) expect(results.map(({ error }) => error).filter(Boolean)).toEqual([])
      const measured = cases[0]!.results.filter(({ figures }) => figures[0]!.median > 0)
      expect(measured.map(({ arm }) => arm)).toEqual(arms.map(({ id }) => id))
    }
  })

  test('ends with a sentence and a table of each', () => {
    expect(ended.stdout.match(/^ what you send .* encryption$/gm)).toHaveLength(2)
    for (const title of ['order', 'picture']) expect(ended.stdout).toContain(`Payload ${title} (`)
  })

  test('exits with 2 if there is no such file', async () => {
    const { code, stderr } = await bench(['--payload', join(out, 'no-such.json')])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('no-such.json: ENOENT') })
  })
})

test(
  'a run of a part measures what the filter selects, with the reference, twice',
  async () => {
    const directory = join(out, 'part')
    const shortest = ['--rounds', '2', '--slot', '1', '--out', directory]
    const { code } = await bench(['--filter', 'shapes/sparse/ring', ...shortest])
    expect(MEASURED).toContain(code)
    const { filter, scenarios } = readReport(directory)
    const ids = scenarios.map(({ id, arms, cases }) => [id, arms.map(arm => arm.id), cases.map(entry => entry.id)])
    expect(filter).toBe('shapes/sparse/ring')
    expect(ids).toEqual([['shapes', ['port-json', 'port-json-again', 'ring-json'], ['sparse']]])
    const figure = findFigure(readReport(directory), 'shapes/sparse/port-json-again/p50')!
    expect(figure.processes.map(rounds => rounds.length)).toEqual([2, 2])
  },
  TIMEOUT_MS,
)
