// Plugins in the sandboxes that hosts choose, each behind a gate: they start, are granted, are kept out, end, and start again.
import type { BusOptions } from '@sallyport/core'
import { bubblewrap } from '@sallyport/core/launchers'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { PluginFrontendOptions } from '../src/options.js'
import { Place } from './start.js'
import { choose } from '../../../scripts/testing.js'

const PROBE = `import { expose, invoke } from '@sallyport/frontend'
import { readFileSync } from 'node:fs'
const attempt = run => run().then(() => 'open', error => error.reason ?? error.code)
expose({
  probe: ({ grants }) => Promise.all([
    invoke('greet'),
    attempt(() => invoke('plugin:fs|mkdir', { path: 'notes' })),
    attempt(() => invoke('secret')),
    attempt(async () => readFileSync(grants)),
    attempt(async () => readFileSync(new URL('data/own.txt', import.meta.url))),
  ]),
  spin() { for (;;); },
})`

const hasWall = await bubblewrap().then(
  () => true,
  () => false,
)
const sandboxes: [string, PluginFrontendOptions['sandbox']][] = [
  ['a thread', 'permission'],
  ['a process', { kind: 'process', wall: 'none' }],
  ...(hasWall
    ? [['a process with a wall', { kind: 'process', wall: 'required' }] as [string, PluginFrontendOptions['sandbox']]]
    : []),
]

const isolation = { dir: join(import.meta.dirname, 'fixtures/isolation') }

describe.each(
  choose<[string, Partial<BusOptions>, string]>([
    ['without a gate', {}, 'Denied'],
    ['with a gate', { isolation }, 'Rejected'],
  ]),
)('%s', (_gate, options, reason) => {
  const place = new Place(options)

  test.each(choose(sandboxes))('a plugin in %s has its grants and its directory alone', async (_what, sandbox) => {
    place.add(
      '@acme/x',
      { permissions: ['greet', 'fs:own'], main: 'src/run.js' },
      { 'src/run.js': PROBE, 'src/data/own.txt': 'x' },
    )
    const plugins = await place.open({ frontend: { sandbox: sandbox! } })
    expect(plugins.list()).toMatchObject([
      { state: 'running', sandbox: typeof sandbox === 'object' ? 'process' : sandbox },
    ])
    if (typeof sandbox === 'object' && 'wall' in sandbox && sandbox.wall === 'required') {
      expect(plugins.list()[0]!.wall).toBe('bubblewrap')
    }
    const probe = async () => place.bus.call('acme-x', 'probe', { grants: join(place.root, 'grants.json') })
    const outcome = ['Hello', 'open', reason, expect.stringMatching(/ERR_ACCESS_DENIED|ENOENT/), 'open']
    expect(await probe()).toEqual(outcome)
    const spinning = place.bus.call('acme-x', 'spin').catch((error: { reason: string }) => error.reason)
    await plugins.disable('acme-x')
    expect(await spinning).toBe('Disconnected')
    expect(place.bus.frontends()).toEqual([])
    await plugins.enable('acme-x')
    expect(await probe()).toEqual(['Hello', expect.anything(), ...outcome.slice(2)])
  })
})
