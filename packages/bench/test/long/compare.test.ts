// The regression check from outside: a project that has Sallyport installed, compared with an earlier commit of its own; and two
// reports, whose figures are data, so that the check is judged and not this machine.
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
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Comparison } from '../../src/compare/judge.js'
import { everyFigure } from '../../src/report/report.js'
import { bench, benchAll, type Ended } from '../bench.js'
import { noisySample, tooNoisy } from '../sample-report.js'

/** Each comparison starts some processes. */
const TIMEOUT_MS = 90_000
vi.setConfig({ testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS })

const packages = fileURLToPath(new URL('../../../', import.meta.url))
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

/** Links the libraries of this checkout, as an install would. */
function installIn(directory: string): void {
  mkdirSync(join(directory, 'node_modules', '@sallyport'), { recursive: true })
  for (const name of ['core', 'frontend', 'nats', 'protocol', 'web']) {
    symlinkSync(join(packages, name), join(directory, 'node_modules', '@sallyport', name), 'junction')
  }
}

/** Installs the base with the same libraries. */
const PREPARE = `
import { mkdirSync, symlinkSync } from 'node:fs'
mkdirSync('node_modules/@sallyport', { recursive: true })
for (const name of ['core', 'frontend', 'nats', 'protocol', 'web']) {
  symlinkSync(${JSON.stringify(packages)} + name, 'node_modules/@sallyport/' + name, 'junction')
}
`

beforeAll(() => {
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

const getArguments = (out: string, args: readonly string[]): string[] => [
  'compare',
  '--out',
  out,
  '--processes',
  '1',
  '--rounds',
  '2',
  '--slot',
  '1',
  ...args,
]

async function compare(...args: string[]): Promise<Compared> {
  const out = mkdtempSync(join(project, 'out-'))
  return readCompared(await bench(getArguments(out, args), { cwd: project, env }), out)
}

/** Compares without measuring: all in one process, so that a wrong command line costs little. */
async function compareAll(all: readonly (readonly string[])[]): Promise<Compared[]> {
  const outs = all.map(() => mkdtempSync(join(project, 'out-')))
  const runs = all.map((args, at) => ({ args: getArguments(outs[at]!, args), cwd: project }))
  const ended = await benchAll(runs, env)
  return ended.map((each, at) => readCompared(each, outs[at]!))
}

function readCompared(ended: Ended, out: string): Compared {
  const read = (name: string): string => readFileSync(join(out, name), 'utf8')
  const comparison = existsSync(join(out, 'compare.json')) ? (JSON.parse(read('compare.json')) as Comparison) : null
  return { ...ended, read, comparison: comparison! }
}

const FIGURES = ['codec/usual/json/each', 'codec/usual/msgpack/each']
/** Few rounds of a busy machine differ by much: they can also be too noisy to judge. */
const FINE = [0, 3]
const ANY = ['--filter', '/^codec.usual.(json|msgpack)/', '--tolerance', '100000%']

describe('a head that is the same as a git ref', () => {
  let compared: Compared
  beforeAll(async () => {
    compared = await compare('--base', 'before', '--prepare', 'node scripts/prepare.mjs', ...ANY)
  })

  test('does not count as a regression, and its reference is not judged', () => {
    const { code, stdout, comparison } = compared
    expect(FINE).toContain(code)
    expect(stdout).toMatch(/No regression: none of 2 figures is slower than before|Too noisy to judge/)
    expect(comparison.first.map(({ figure }) => figure)).toEqual(FIGURES)
    const base = { kind: 'ref', commit: git('rev-parse', 'before').trim() }
    expect(comparison).toMatchObject({ base, repeat: [] })
  })

  test('shows each figure when it is measured', () => {
    for (const path of FIGURES) expect(compared.stderr).toMatch(RegExp(`${path}: [+−].* %`))
  })

  test('leaves no checkout and no temporary directory behind', () => {
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1)
    expect(readdirSync(temporary)).toEqual([])
  })
})

test('a failed preparation of a git ref exits with 2', async () => {
  expect(await compare('--base', 'before', '--prepare', 'exit 7')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('failed in the checkout with exit code 7'),
  })
})

test('a directory is compared by the packages that are installed in it', async () => {
  const { code, comparison } = await compare('--base', '.', ...ANY)
  expect(FINE).toContain(code)
  expect(comparison).toMatchObject({ base: { kind: 'directory' } })
  expect(comparison.notes).toContain('Head and base are the same directories: every difference is noise.')
})

describe('two reports', () => {
  const report = noisySample()
  const slower = structuredClone(report)
  const changed = everyFigure(slower).find(({ path }) => path === 'codec/usual/json/each')!.figure
  changed.ratio = changed.ratio! * 1.5
  changed.interval = [changed.interval![0] * 1.5, changed.interval![1] * 1.5]
  const other = { ...report, machine: { ...report.machine, cores: report.machine.cores + 1 } }
  const reports = { report, slower, other, noisy: tooNoisy(report), old: { ...report, schemaVersion: 1 }, broken: {} }
  beforeAll(() => {
    for (const [name, content] of Object.entries(reports)) write(`${name}.json`, JSON.stringify(content))
  })
  const getFiles = (base: string, head: string): string[] => ['--base', `${base}.json`, '--head', `${head}.json`]
  const compareFiles = (base: string, head: string): Promise<Compared> => compare(...getFiles(base, head))

  test('are compared without measuring, and a slower ratio is a regression in every form', async () => {
    const { code, stdout, stderr, comparison, read } = await compareFiles('report', 'slower')
    expect(code).toBe(1)
    expect(stdout).toContain('Regression: 1 of')
    expect(stderr).not.toContain('round')
    const [found] = comparison.first.filter(({ outcome }) => outcome === 'slower')
    expect(found).toMatchObject({ figure: 'codec/usual/json/each', slower: { factor: expect.closeTo(1.5, 2) } })
    const text = read('compare.txt')
    expect(text).toMatch(/codec\/usual +\+50 % .* confirmed: \+50 %/)
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
  })

  test('are found by their directories', async () => {
    mkdirSync(join(project, 'earlier'))
    write('earlier/report.json', JSON.stringify(report))
    expect(await compare('--base', 'earlier', '--head', 'earlier')).toMatchObject({
      code: 0,
      comparison: { base: { kind: 'file' } },
    })
  })

  test('exit with 3 when one of them failed its noise check', async () => {
    const all = await compareAll([getFiles('noisy', 'report'), getFiles('report', 'noisy')])
    expect(all).toHaveLength(2)
    for (const compared of all)
      expect(compared).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/noisy\.json: that run failed its noise check\. Measure again/),
      })
  })

  test('show a faster ratio as faster', async () => {
    const { first } = (await compareFiles('slower', 'report')).comparison
    expect(first.filter(({ outcome }) => outcome === 'faster')).toHaveLength(1)
    expect(first.filter(({ outcome }) => outcome === 'slower')).toEqual([])
  })

  describe('exit with 2', () => {
    const invalid: [head: string, words: RegExp][] = [
      ['other', /its cores: 4 and 5/],
      ['old', /old\.json: its version is 1/],
      ['broken', /broken\.json: not a report\.json/],
      ['missing', /missing\.json: broken: ENOENT/],
    ]
    let all: Compared[]
    beforeAll(async () => {
      all = await compareAll(invalid.map(([head]) => getFiles('report', head)))
    })

    test.each(invalid.map((entry, at) => [...entry, at] as const))('when the second is %s', (_head, words, at) => {
      expect(all[at]).toMatchObject({ code: 2, stderr: expect.stringMatching(words) })
    })
  })
})

describe('a wrong command line', () => {
  const wrong: [args: string[], words: string][] = [
    [[], 'compare needs --base'],
    [['--base', '.', '--prepare', 'a', '--prepare', 'b'], '--prepare can be given once'],
    [['--base', 'no-such-thing'], "'no-such-thing' is not a file, a directory or a git ref"],
    [['--base', '.', '--tolerance', '5'], '--tolerance takes a percentage above 0'],
    [['--base', '.', '--filter', 'nonsense'], "Nothing has 'nonsense' in its path"],
    [['--base', 'package.json'], 'are compared with --base and --head'],
    [['--base', '.', '--head', 'package.json'], 'are compared with --base and --head'],
    [['--base', 'scripts'], 'has no @sallyport/'],
  ]
  let all: Compared[]
  beforeAll(async () => {
    all = await compareAll(wrong.map(([args]) => args))
  })

  test.each(wrong.map((entry, at) => [...entry, at] as const))('compare %j exits with 2', (_args, words, at) => {
    const { code, stderr, comparison } = all[at]!
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(words) })
    expect(comparison).toBeNull()
  })
})
