// Commands as a user types them. test/matrix/compare.test.ts has the others.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { run } from '../../../../packages/measure/test/run-command.js'
import { cli } from '../command.js'

test('shows every option, an example and the exit codes with --help', async () => {
  const { code, stdout } = await run(cli, ['--help'])
  expect(code).toBe(0)
  const options = 'base tolerance flag-only prepare runs cpu out help version'
  for (const option of options.split(' ')) expect(stdout).toContain(`--${option}`)
  expect(stdout).toContain('sallyport-compare --base main')
  expect(stdout).toContain('Exit codes: 0 success')
})

test('exits with 2 before anything runs if its directory cannot be made', async () => {
  const { code, stderr } = await run(cli, ['--base', '.', '--out', '/proc/no', '--', 'node'])
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--out /proc/no: E') })
})

test('the base of a checkout of CI is found, or git says why not, with the remedy', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-checkouts-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const at = (name: string): string => join(directory, name)
  const git = (cwd: string, ...args: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], { cwd, stdio: 'pipe' })
  mkdirSync(at('lib'))
  writeFileSync(at('lib/word'), 'here')
  mkdirSync(at('own'))
  writeFileSync(at('own/package.json'), '{ "dependencies": { "lib": "file:../lib" } }')
  git(at('own'), 'init', '--quiet', '--initial-branch', 'main')
  git(at('own'), 'add', '.')
  git(at('own'), 'commit', '--quiet', '-m', 'one')
  git(at('own'), 'checkout', '--quiet', '-b', 'feature')
  writeFileSync(at('own/x.mjs'), '')
  git(at('own'), 'add', '.')
  git(at('own'), 'commit', '--quiet', '-m', 'two')
  git(directory, 'clone', '--quiet', '--branch', 'feature', at('own'), 'whole')
  git(directory, 'clone', '--quiet', '--depth', '1', '--branch', 'feature', `file://${at('own')}`, 'shallow')
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
    const { code, stderr } = await run(cli, ['--base', base, '--prepare', prepare, '--', 'node', 'x.mjs'], {
      cwd: at(cwd),
      env,
    })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(said) })
  })
})

test('ends without a run of the program if only a text has changed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-texts-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const git = (...args: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...args], { cwd: directory })
  git('init', '--quiet')
  git('commit', '--quiet', '--allow-empty', '-m', 'one')
  writeFileSync(join(directory, 'README.md'), 'Read me')
  const args = ['--base', 'HEAD', '--prepare', 'exit 7', '--', 'node', 'no-such-file.mjs']
  const { code, stdout } = await run(cli, args, { cwd: directory })
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('has the same files to run') })
})

test('writes the summary of a job of GitHub, also if it is too noisy to judge', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-noisy-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const summary = join(directory, 'summary.md')
  writeFileSync(summary, 'before\n')
  // Each part of the name is a line of its own, which must not end the block.
  const program = 'console.log(`${"a".repeat(44)} ~~~ ${"b".repeat(44)} ${Math.random()} ms`)'
  const args = ['--base', '.', '--runs', '8', '--', 'node', '-e', program]
  const { code } = await run(cli, args, { cwd: directory, env: { GITHUB_STEP_SUMMARY: summary } })
  expect(code).toBe(3)
  expect(readFileSync(summary, 'utf8')).toMatch(/^before\n~~~text\n Too noisy to judge[^~]+\n~~~\n$/)
})

test("a program under Node's permission model is measured, with or without its memory", async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-denied-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'bench.mjs'), 'console.log(`parse ${1 + Math.random() / 1000} ms`)')
  const model = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
  await rows(['*', './bench.mjs'])(async read => {
    const program = ['node', model, `--allow-fs-read=${read}`, 'bench.mjs']
    const { code, stdout, stderr } = await run(cli, ['--base', '.', '--runs', '8', '--', ...program], {
      cwd: directory,
    })
    expect(stdout, stderr).toMatch(/parse\n +(?:fine|too noisy)/)
    expect([0, 3]).toContain(code)
  })
})
