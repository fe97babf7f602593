// Commands as a user types them. test/matrix/cli.test.ts has the others.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { bench, readReport } from '../bench.js'

test('shows every option, examples and the exit codes with --help', async () => {
  const { code, stdout } = await bench(['--help'])
  expect(code).toBe(0)
  const options = 'payload full all filter out lines rounds slot help version'
  for (const option of options.split(' ')) expect(stdout).toContain(`--${option}`)
  expect(stdout).toContain('Exit codes: 0 success')
})

test('exits with 2 after an unknown option', async () => {
  const { code, stdout, stderr } = await bench(['--fast'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain("Unknown option '--fast'")
  expect(stderr).toContain('Run sallyport-bench --help')
})

test('exits with 2, and says so, if a module of the user waits for nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'cases.mjs')
  writeFileSync(file, 'await new Promise(() => {})')
  const { code, stderr } = await bench(['--payload', file])
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('nothing can end what it waits for') })
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
