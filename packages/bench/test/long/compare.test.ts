// The regression check from outside: a project that has Sallyport installed, compared with an earlier commit of its own.
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
import { bench, benchAll, type Ended } from '../bench.js'

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
  for (const name of ['core', 'frontend', 'nats', 'protocol']) {
    symlinkSync(join(packages, name), join(directory, 'node_modules', '@sallyport', name), 'junction')
  }
}

/** Installs the base with the same libraries. */
const PREPARE = `
import { mkdirSync, symlinkSync } from 'node:fs'
mkdirSync('node_modules/@sallyport', { recursive: true })
for (const name of ['core', 'frontend', 'nats', 'protocol']) {
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

const FIGURES = ['codec/usual/json/each', 'codec/usual/msgpack/each', 'codec/usual/msgpackr/each']
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
    expect(stdout).toMatch(
      /No regression: \d figures? would have shown a slow-down of .* against before|Too noisy to judge/,
    )
    expect(comparison.first.map(({ figure }) => figure)).toEqual(FIGURES)
    const base = { kind: 'ref', commit: git('rev-parse', 'before').trim() }
    expect(comparison).toMatchObject({ base })
    // A noisy machine has the noisy ones measured again.
    expect(FIGURES).toEqual(expect.arrayContaining(comparison.repeat.map(({ figure }) => figure)))
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
})

describe('any program', () => {
  const runs = ['--processes', '2', '--tolerance', '100000%']
  const compareProgram = async (...args: string[]): Promise<Compared> => {
    const out = mkdtempSync(join(project, 'out-'))
    return readCompared(await bench(['compare', '--out', out, ...args], { cwd: join(project, 'own'), env }), out)
  }
  beforeAll(() => {
    write('own/bench.mjs', "console.log('parse 12 ms')\nconsole.log(`rate ${1000} ops/s`)\n")
    write('own/silent.mjs', 'let sum = 0\nfor (let i = 0; i < 1e6; i++) sum += i\n')
    git('add', '.')
    git('commit', '--quiet', '-m', 'own')
    git('tag', 'own')
  })

  test('is compared by the figures that it prints, in the same directory of the base', async () => {
    const { code, comparison, read } = await compareProgram('--base', 'own', ...runs, '--', 'node', 'bench.mjs')
    expect(code).toBe(0)
    expect(comparison.first.map(({ figure }) => figure)).toEqual(['parse', 'rate'])
    expect(comparison.program).toEqual(['node', 'bench.mjs'])
    expect(read('compare.txt').replaceAll(/\s+/g, ' ')).toContain('2 runs of `node bench.mjs` for each side')
  })

  test('is a regression if it became slower than the tolerance', async () => {
    write('own/bench.mjs', "console.log('parse 24 ms')\nconsole.log(`rate ${500} ops/s`)\n")
    const { code, comparison } = await compareProgram('--base', 'own', '--processes', '8', '--', 'node', 'bench.mjs')
    expect({ code, verdict: comparison.verdict }).toEqual({ code: 1, verdict: 'regression' })
    for (const { outcome, slower } of comparison.repeat)
      expect({ outcome, factor: slower!.factor }).toEqual({ outcome: 'slower', factor: 2 })
    git('checkout', '--quiet', 'own/bench.mjs')
  })

  test('is compared by its CPU time if it prints nothing', async () => {
    const { code, comparison } = await compareProgram('--base', 'own', ...runs, '--', 'node', 'silent.mjs')
    expect(FINE).toContain(code)
    expect(comparison.first).toMatchObject([{ figure: 'CPU time', slower: { factor: expect.any(Number) } }])
  })

  test('fails with 2 if the base does not have the directory or the program', async () => {
    const directory = await compareProgram('--base', 'before', ...runs, '--', 'node', 'bench.mjs')
    const missing = { code: 2, stderr: expect.stringContaining('the base has no own') }
    expect(directory).toMatchObject(missing)
    write('own/new.mjs', "console.log('parse 12 ms')\n")
    const program = await compareProgram('--base', 'own', ...runs, '--', 'node', 'new.mjs')
    expect(program).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/`node new\.mjs` failed in .*Cannot find/s),
    })
  })

  test('fails with 2 if it prints no figure and is not a program of Node.js', async () => {
    const { code, stderr } = await compareProgram('--base', 'own', ...runs, '--', 'git', '--version')
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('printed no line') })
  })
})

describe('a wrong command line', () => {
  const wrong: [args: string[], words: string][] = [
    [[], 'compare needs --base'],
    [['--base', 'no-such-thing'], "'no-such-thing' is not a directory or a git ref"],
    [['--base', '.', '--tolerance', '5'], '--tolerance takes a percentage above 0'],
    [['--base', '.', '--filter', 'nonsense'], "No path contains 'nonsense'"],
    [['--base', 'package.json'], "'package.json' is not a directory or a git ref"],
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
