// The regression check from outside: a project whose programs are compared with an earlier commit of its own.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import type { Comparison } from '../../src/verdict/judge.js'
import { type Ended, run } from '../../../../packages/measure/test/run-command.js'
import { cli, runAll } from '../command.js'

/** Each comparison starts some processes. */
const TIMEOUT_MS = 90_000
vi.setConfig({ testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS })

const project = mkdtempSync(join(tmpdir(), 'sallyport-embedder-'))
const temporary = mkdtempSync(join(tmpdir(), 'sallyport-temporary-'))
const env = { TMPDIR: temporary, TEMP: temporary }
afterAll(() => [project, temporary].forEach(directory => rmSync(directory, { recursive: true, force: true })))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true })
  writeFileSync(join(project, path), text)
}

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], {
    cwd: project,
    encoding: 'utf8',
  })

beforeAll(() => {
  write('package.json', '{ "name": "embedder", "type": "module" }\n')
  write('.gitignore', 'out-*\n')
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '-m', 'base')
  git('tag', 'before')
  write('own/bench.mjs', "console.log('parse 12 ms')\nconsole.log(`rate ${1000} ops/s`)\n")
  git('add', '.')
  git('commit', '--quiet', '-m', 'own')
  git('tag', 'own')
  change()
})

/** The same program in other files: equal ones are not measured. */
function change(): void {
  write('own/bench.mjs', `${git('show', 'own:own/bench.mjs')}// changed\n`)
}

interface Compared extends Ended {
  out: string
  read(name: string): string
  comparison: Comparison
}

const PROGRAM = ['--', 'node', 'bench.mjs']
const getArguments = (out: string, args: readonly string[]): string[] => ['--out', out, ...args]

async function compare(...args: string[]): Promise<Compared> {
  const out = mkdtempSync(join(project, 'out-'))
  return readCompared(await run(cli, getArguments(out, args), { cwd: join(project, 'own'), env }), out)
}

/** Compares without measuring: all in one process, so that a wrong command line costs little. */
async function compareAll(all: readonly (readonly string[])[]): Promise<Compared[]> {
  const outs = all.map(() => mkdtempSync(join(project, 'out-')))
  const runs = all.map((args, at) => ({ args: getArguments(outs[at]!, args), cwd: project }))
  const ended = await runAll(runs, env)
  return ended.map((each, at) => readCompared(each, outs[at]!))
}

function readCompared(ended: Ended, out: string): Compared {
  const read = (name: string): string => readFileSync(join(out, name), 'utf8')
  const comparison = existsSync(join(out, 'compare.json')) ? (JSON.parse(read('compare.json')) as Comparison) : null
  return { ...ended, out, read, comparison: comparison! }
}

/** CPU times of a busy machine differ by much: they can also be too noisy to judge. */
const FINE = [0, 3]
/** The least for two figures and the memory. */
const RUNS = ['--runs', '9', '--tolerance', '100000%']

describe('a program', () => {
  test('is compared by the figures that it prints, in the same directory of a git ref', async () => {
    const { code, stdout, comparison, read } = await compare('--base', 'own', ...RUNS, ...PROGRAM)
    expect(code).toBe(0)
    expect(stdout).toMatch(/No regression: 2 figures would have shown a slow-down of .* against own/)
    expect(comparison.first.map(({ figure }) => figure)).toEqual(['parse', 'rate', 'peak memory'])
    const commit = git('rev-parse', 'own').trim()
    expect(comparison).toMatchObject({ program: ['node', 'bench.mjs'], base: { kind: 'ref', commit } })
    const text = read('compare.txt')
    expect(text.replaceAll(/\s+/g, ' ')).toContain('9 runs of `node bench.mjs` for each side')
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(46)
  })

  test('leaves no checkout and no temporary directory behind', () => {
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1)
    expect(readdirSync(temporary)).toEqual([])
  })

  test('is a regression if it became slower than the tolerance', async () => {
    const work = 'function work(sum = 0) { for (let at = 0; at < 2e7; at++) sum += at % 7; return sum }\nwork()\n'
    write('own/bench.mjs', `${work}console.log('parse 24 ms')\nconsole.log('rate 500 ops/s')\n`)
    const { code, comparison } = await compare('--base', 'own', '--runs', '9', ...PROGRAM)
    expect({ code, verdict: comparison.verdict }).toEqual({ code: 1, verdict: 'regression' })
    for (const { outcome, slower } of comparison.repeat.filter(({ figure }) => figure !== 'peak memory'))
      expect({ outcome, factor: slower!.factor }).toEqual({ outcome: 'slower', factor: 2 })
    change()
  })

  test('is compared by its CPU time with --cpu, whatever it prints', async () => {
    const { code, comparison } = await compare('--base', 'own', ...RUNS, '--cpu', '--', 'node', 'bench.mjs')
    expect(FINE).toContain(code)
    expect(comparison.first).toMatchObject([
      { figure: 'CPU time', slower: { factor: expect.any(Number) } },
      { figure: 'peak memory', medians: { unit: 'B' } },
    ])
  })

  test('is compared with a directory', async () => {
    const { code, comparison } = await compare('--base', '.', ...RUNS, ...PROGRAM)
    expect({ code, base: comparison.base.kind }).toEqual({ code: 0, base: 'directory' })
  })

  test('fails with 2 if the base cannot be prepared, or does not have the directory or the program', async () => {
    expect(await compare('--base', 'before', '--prepare', 'exit 7', ...PROGRAM)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('failed in the checkout with exit code 7'),
    })
    const directory = await compare('--base', 'before', ...RUNS, ...PROGRAM)
    expect(directory).toMatchObject({ code: 2, stderr: expect.stringContaining('the base has no own') })
    write('own/new.mjs', "console.log('parse 12 ms')\n")
    expect(await compare('--base', 'own', ...RUNS, '--', 'node', 'new.mjs')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/`node new\.mjs` failed in .*Cannot find/s),
    })
  })

  test('fails with 2 if so few runs agree by chance too often', async () => {
    const { code, stderr } = await compare('--base', '.', '--runs', '8', ...PROGRAM)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('Use 9 or more') })
  })

  test('fails with 2 if it prints no figure, none with the same name in each run, or one in several units', () =>
    rows([
      [
        "console.log('5 tests in 3 files')",
        /No figure found in 1 line of `node odd\.mjs`.*--cpu\.\s+5 tests in 3 files/s,
      ],
      ['', /No figure found in 0 lines/],
      ['console.log(`run ${process.pid} 5 ms`)', /no figure under the same name in each run, such as 'run \d+'/],
      ['console.log(`parse 5 ${process.pid % 2 ? "kops" : "Mops"}/s`)', /'parse' has several units: .*Print one/],
      ["console.log('parse 12,5 ms')", /'parse 12,5 ms' was not read/],
    ])(async (code, words) => {
      write('own/odd.mjs', code)
      const ended = await compare('--base', '.', ...RUNS, '--', 'node', 'odd.mjs')
      expect(ended).toMatchObject({ code: 2, comparison: null, stderr: expect.stringMatching(words) })
    }))

  test('fails with 2 if its CPU time is wanted and it is not a program of Node.js', async () => {
    const { code, stderr } = await compare('--base', 'own', ...RUNS, '--cpu', '--', 'git', '--version')
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('is not a program of Node.js') })
  })
})

describe('a wrong command line', () => {
  const wrong: [args: string[], words: string][] = [
    [[], 'Name the base, a git ref or a directory, with --base'],
    [['--base', '.'], 'Name a program after --'],
    [['--base', 'no-such-thing', ...PROGRAM], "'no-such-thing' is not a directory or a git ref"],
    [['--base', '.', '--tolerance', '5', ...PROGRAM], '--tolerance takes a percentage above 0'],
    [['--base', 'package.json', ...PROGRAM], "'package.json' is not a directory or a git ref"],
  ]
  let all: Compared[]
  beforeAll(async () => {
    all = await compareAll(wrong.map(([args]) => args))
  })

  test.each(wrong.map((entry, at) => [...entry, at] as const))('%j exits with 2', (_args, words, at) => {
    const { code, stderr, comparison } = all[at]!
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(words) })
    expect(comparison).toBeNull()
  })
})
