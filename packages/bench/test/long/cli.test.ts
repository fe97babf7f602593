// Commands as a user types them. test/matrix/cli.test.ts has the others.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { bench, readReport } from '../bench.js'

test('shows every option, examples and the exit codes with --help', async () => {
  const { code, stdout } = await bench(['--help'])
  expect(code).toBe(0)
  const options = 'payload full filter out lines rounds slot help version'
  for (const option of options.split(' ')) expect(stdout).toContain(`--${option}`)
  expect(stdout).toContain('sallyport-bench compare --base main')
  expect(stdout).toContain('Exit codes: 0 success')
})

test('exits with 2 and names the options after an unknown one', async () => {
  const { code, stdout, stderr } = await bench(['--fast'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain("Unknown option '--fast'")
  expect(stderr).toContain('The options are: --payload --full --lines --filter')
})

test('prints only a line of JSON for each figure with --lines, and writes reports where `npm run bench` is called', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const shortest = ['--rounds', '2', '--slot', '1']
  const script = fileURLToPath(new URL('../../../../scripts/bench.mjs', import.meta.url))
  const where = { script, env: { INIT_CWD: directory } }
  const { code, stdout } = await bench(['--lines', '--filter', 'one-thread', ...shortest], where)
  expect(code).toBe(0)
  expect(readReport(join(directory, 'bench-report'))).toMatchObject({ scenarios: [{ id: 'one-thread' }] })
  const names = stdout.trimEnd().split('\n').map(line => (JSON.parse(line) as { name: string }).name) // prettier-ignore
  expect(names).toEqual(['json/rate', 'json/cpu', 'msgpack/rate', 'msgpack/cpu'].map(name => `one-thread/64/${name}`))
}, 600_000)

test('the base of a checkout of CI is found, or git says why not, with the remedy', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-checkouts-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const at = (name: string): string => join(directory, name)
  const run = (cwd: string, ...args: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], { cwd, stdio: 'pipe' })
  mkdirSync(at('lib'))
  writeFileSync(at('lib/word'), 'here')
  mkdirSync(at('own'))
  writeFileSync(at('own/package.json'), '{ "dependencies": { "lib": "file:../lib" } }')
  run(at('own'), 'init', '--quiet', '--initial-branch', 'main')
  run(at('own'), 'add', '.')
  run(at('own'), 'commit', '--quiet', '-m', 'one')
  run(at('own'), 'checkout', '--quiet', '-b', 'feature')
  run(at('own'), 'commit', '--quiet', '--allow-empty', '-m', 'two')
  run(directory, 'clone', '--quiet', '--branch', 'feature', at('own'), 'whole')
  run(directory, 'clone', '--quiet', '--depth', '1', '--branch', 'feature', `file://${at('own')}`, 'shallow')
  await rows<[cwd: string, base: string, env: Record<string, string>, said: string]>({
    'only a branch of origin, and a package beside it': [
      'whole',
      'main',
      {},
      'failed in the checkout with exit code 7',
    ],
    'a shallow clone': [
      'shallow',
      'HEAD^1',
      {},
      'This clone is shallow: fetch more of it first, as with `fetch-depth: 0`',
    ],
    'another owner': ['whole', 'main', { GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' }, 'safe.directory'],
  })(async ([cwd, base, env, said]) => {
    const prepare = 'cat ../lib/word && exit 7'
    const { code, stderr } = await bench(['compare', '--base', base, '--prepare', prepare, '--', 'node', 'x.mjs'], {
      cwd: at(cwd),
      env,
    })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(said) })
  })
})
