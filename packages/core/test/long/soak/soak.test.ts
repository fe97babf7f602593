// The soak in CI: ten short rounds with a fixed seed, and ten more if something grew. `npm run soak` takes its duration and seed from the command line.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createCgroup, removeCgroup } from '../../../src/host/sandboxes/process/launchers/cgroup.js'

const [program, probe] = ['run.mjs', 'relay-probe.cjs'].map(name => fileURLToPath(new URL(name, import.meta.url)))
const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--require', probe!]
/** The environment of `scripts/soak.mjs`. */
const env = { ...process.env, MALLOC_ARENA_MAX: '1' }

const run = (...args: string[]): Promise<{ stdout: string; code?: number }> =>
  promisify(execFile)(process.execPath, [...flags, program!, '--seed', '6', ...args], { env }).catch(
    (failure: { stdout: string; code: number }) => failure,
  )

/** Needs the right to make cgroups. */
const cgroup = process.platform === 'linux' ? createCgroup({ memory: 100 }) : undefined
cgroup?.directories.forEach(removeCgroup)

test('leaks of links, processes and relays are found', { timeout: 900_000 }, async () => {
  const ofProcesses = process.platform === 'linux' ? ['sockets', 'directories', ...(cgroup ? ['cgroups'] : [])] : []
  const leaks = ['shared', 'relays', ...ofProcesses]
  const { stdout, code } = await run('--seconds', '1', '--round', '500', '--leak', leaks.join())
  expect(code, stdout).toBe(1)
  const ofHost = ['shared', ...ofProcesses].map(kind => `${kind} of host`)
  const broken = [...stdout.matchAll(/^BROKEN (\w+ of \w+).*: from [\d,]+ to [\d,]+, /gm)].map(([, what]) => what)
  expect(broken, stdout).toEqual(expect.arrayContaining([...ofHost, 'functions of relays']))
})

test('traffic and faults leave nothing behind', { timeout: 900_000 }, async () => {
  const { stdout, code } = await run('--seconds', '1', '--round', '1000')
  expect(code, stdout).toBe(undefined)
  expect(stdout).toMatch(/^soak by seed 6: \d+ rounds/)
})
