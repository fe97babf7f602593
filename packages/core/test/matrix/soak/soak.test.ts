// The soak: ten short rounds with a fixed seed, and ten more if something grew. `npm run soak` takes its duration and seed from the command line.
import { expect, test } from 'vitest'
import { createCgroup, removeCgroup } from '../../../../process/src/launchers/cgroup.js'
import { runSoak } from '../../long/soak/start.js'

/** Needs the right to make cgroups. */
const cgroup = process.platform === 'linux' ? createCgroup({ memory: 100 }) : undefined
cgroup?.directories.forEach(removeCgroup)

test('leaks of links, processes and relays are found', { timeout: 900_000 }, async () => {
  const ofProcesses = process.platform === 'linux' ? ['sockets', 'directories', ...(cgroup ? ['cgroups'] : [])] : []
  const leaks = ['shared', 'relays', ...ofProcesses]
  const { stdout, code } = await runSoak('--seconds', '1', '--round', '500', '--leak', leaks.join())
  expect(code, stdout).toBe(1)
  const ofHost = ['shared', ...ofProcesses].map(kind => `${kind} of host`)
  const broken = [...stdout.matchAll(/^BROKEN (\w+ of \w+).*: from [\d,]+ to [\d,]+, /gm)].map(([, what]) => what)
  expect(broken, stdout).toEqual(expect.arrayContaining([...ofHost, 'functions of relays']))
})

test('traffic and faults leave nothing behind', { timeout: 900_000 }, async () => {
  const { stdout, code } = await runSoak('--seconds', '1', '--round', '1000')
  expect(code, stdout).toBe(undefined)
  expect(stdout).toMatch(/^soak by seed 6: \d+ rounds/)
})
