// The soak in CI: ten short rounds with a fixed seed, and ten more if something grew. `npm run soak` takes its duration and seed from the command line.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('run.mjs', import.meta.url))
const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning']
/** The environment of `scripts/soak.mjs`. */
const env = { ...process.env, MALLOC_ARENA_MAX: '1' }

const run = (...args: string[]): Promise<{ stdout: string; code?: number }> =>
  promisify(execFile)(process.execPath, [...flags, program, '--seed', '6', ...args], { env }).catch(
    (failure: { stdout: string; code: number }) => failure,
  )

test('a leak of the shared memory of links is found', { timeout: 900_000 }, async () => {
  const { stdout, code } = await run('--seconds', '1', '--round', '500', '--leak', 'shared')
  expect(code, stdout).toBe(1)
  expect(stdout.match(/^BROKEN .*/gm)).toEqual([expect.stringMatching(/^BROKEN shared of host: from \d+ to \d+, /)])
})

test('traffic and faults leave nothing behind', { timeout: 900_000 }, async () => {
  const { stdout, code } = await run('--seconds', '1', '--round', '1000')
  expect(code, stdout).toBe(undefined)
  expect(stdout).toMatch(/^soak by seed 6: \d+ rounds/)
})
