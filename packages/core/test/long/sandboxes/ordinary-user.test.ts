// Hosts of an ordinary user, whose frontends have no cgroup: the limits that the documentation recommends.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { choose } from '../../../../../scripts/testing.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'

const ORDINARY = 65534
const isRoot = process.getuid?.() === 0
const user = isRoot ? { uid: ORDINARY, gid: ORDINARY } : {}
const host = fileURLToPath(new URL('ordinary-user/host.mjs', import.meta.url))
const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Below `/tmp`, which another directory hides in a wall, and in a place that every user can read. */
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'node-'))
  chmodSync(directory, 0o755)
})
afterAll(() => rmSync(directory, { recursive: true }))

const own = process.versions.node

function findNode(version: string): string {
  if (version === own) return process.execPath
  const npx = ['--yes', '-p', `node@${version}`, 'node', '-p', 'process.execPath']
  const { stdout, stderr } = spawnSync('npx', npx, { encoding: 'utf8' })
  if (!stdout.trim()) throw new Error(`Node ${version} is missing: ${stderr}`)
  return stdout.trim()
}

/** An ordinary user cannot read every directory of root's. */
const canRead =
  process.platform === 'linux' &&
  spawnSync('/bin/cat', [host], { ...user, stdio: ['ignore', 'ignore', 'ignore'], cwd: '/' }).status === 0
const hasWall = (await findWall()).launcher?.name === 'bubblewrap'

describe.runIf(hasWall && canRead).each(choose(['20.19.0', '20', '22', '24', '26', own]))(
  'Node %s, a host of an ordinary user',
  version => {
    let node: string
    // It can be downloaded.
    beforeAll(() => {
      node = join(directory, `node-${version}`)
      copyFileSync(findNode(version), node)
      chmodSync(node, 0o755)
    }, 300_000)

    test('sandboxes with the recommended limits start, and hold', { timeout: 120_000 }, () => {
      const { stdout, stderr } = spawnSync(node, [host], { ...user, cwd: '/', encoding: 'utf8', env: {} })
      expect(stderr).toBe('')
      const answers = { home: '/nonexistent', user: 'frontend', interfaces: {}, pages: 1 }
      const refused = (max: number) => ({
        reason: 'Crashed',
        message: `frontend "main" used more memory than its limit of ${max} MiB`,
        data: { limit: 'memory', max },
      })
      expect(JSON.parse(stdout)).toEqual({
        'process 128': answers,
        'process 128 that allocates 4 GiB': refused(128),
        'process 256': answers,
        'process 256 that allocates 4 GiB': refused(256),
        quickjs: 3,
        'few files': 1000,
        'many files': {
          reason: 'Crashed',
          message: expect.stringMatching(/^frontend "files" had \d+ files in \/tmp \(limit: 2024, for 1 MiB\)$/),
          data: { limit: 'tmp', max: 1 },
        },
        'call of many files': 'Disconnected',
      })
    })

    test('the tests of the launchers pass', { timeout: 300_000 }, () => {
      const vitest = join(root, '../../node_modules/vitest/vitest.mjs')
      const options = ['--configLoader', 'runner', '--reporter=dot']
      const args = [vitest, 'run', ...options, 'src/life/sandboxes/process', 'test/long/sandboxes/wall.test.ts']
      const env = { PATH: process.env.PATH, HOME: directory }
      const { status, stdout, stderr } = spawnSync(node, args, { ...user, cwd: root, encoding: 'utf8', env })
      expect(status, stdout + stderr).toBe(0)
    })
  },
)
