// Runs the trials of @tauri-apps/plugin-fs, as npm has it, in frontends that may only use this plugin.
import { type Bus, createBus } from '@sallyport/core'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EXPECTED, TRIALS } from './trials.js'
import { rows } from '../../../../scripts/testing.js'

export function runTrials(
  sandbox: 'permission' | 'process',
  use: 'brownfield' | 'isolation',
  guest = 'guest.mjs',
  expected: Partial<typeof EXPECTED> = EXPECTED,
  trials: typeof TRIALS = TRIALS,
): void {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-fs-')))
  const dir = join(root, 'open')
  const inTemp = `${basename(root)}/open`
  const scope = { identifier: 'fs:scope', allow: [`$TEMP/${inTemp}`, { path: `$TEMP/${inTemp}/**` }] }
  const accessing = ['start', 'stop'].map(verb => `fs:allow-${verb}-accessing-security-scoped-resource`)
  const permissions = ['core:default', 'fs:read-all', 'fs:write-all', 'fs:allow-size', ...accessing, scope]
  let bus: Bus

  const reset = (): void => {
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir)
    writeFileSync(join(dir, 'a.txt'), 'one\ntwo\n')
    symlinkSync('a.txt', join(dir, 'link'))
    symlinkSync('b/none', join(dir, 'gone'))
  }

  beforeAll(async () => {
    bus = await createBus({
      core: new URL('./fixtures/core.mjs', import.meta.url),
      log: false,
      ...(use === 'isolation' && { isolation: {} }),
      capabilities: [{ identifier: 'test', windows: ['main'], permissions }],
      frontends: { main: { module: new URL(`./fixtures/${guest}`, import.meta.url), sandbox } },
    })
  })
  afterAll(async () => {
    await bus.close()
    rmSync(root, { recursive: true, force: true })
  })

  test('each function does what it does in Tauri', () =>
    rows(Object.keys(expected) as (keyof typeof TRIALS)[])(async name => {
      reset()
      const source = trials[name].toString().replace(/^async (?!function|\()/, 'async function ')
      expect(await bus.call('main', 'run', { source, args: { dir, inTemp } })).toEqual(expected[name])
    }))
}
