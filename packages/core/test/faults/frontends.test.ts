// Frontends that break in every way, in both patterns and over each link, beside others that go on.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Client, FrontendOptions } from '../../src/index.js'
import { isolation, patterns } from '../start.js'
import { checkPromise, watch, type Expected, type Watched } from './promise.js'
import { terminate } from './threads.js'
import { at, everything, openVictim } from './victims.js'

vi.mock(import('../../src/host/workers/spawn.js'), async original => (await import('./threads.js')).reaching(original))

interface Fault extends FrontendOptions {
  how: string
  /** What it has died of. */
  of: RegExp
}

const small = { maxOldGenerationSizeMb: 48 }
const permission = { kind: 'permission', resourceLimits: small } as const
const faults: Fault[] = [
  { how: 'exit', of: /exited with code 3/ },
  { how: 'throw', of: /broken on purpose/ },
  { how: 'throw null', of: /null/ },
  { how: 'rejection', of: /broken on purpose/ },
  { how: 'overflow', of: /call stack/ },
  { how: 'heap', of: /ran out of memory/, sandbox: permission },
  { how: 'loop', of: /blocked its event loop for 1500 ms/, supervision: { heartbeat: 1500 } },
  { how: 'terminate', of: /exited with code 1/ },
]
const processes: Fault[] = [
  { how: 'exit', of: /exited with code 3/ },
  { how: 'throw', of: /broken on purpose/ },
  { how: 'heap', of: /./, sandbox: { kind: 'process', resourceLimits: small } },
  { how: 'terminate', of: /./ },
]

describe.each(patterns)('%s', (name, app) => {
  let watched: Watched
  let other: Client
  const others = () => other.invoke('add', { a: 1, b: 2 })

  beforeAll(async () => {
    watched = await watch({
      core: at('core.mjs'),
      app: name === 'isolation' ? isolation(undefined, {}, everything) : app,
    })
    other = await watched.bus.connect('other')
  })
  afterAll(() => watched.close())

  const open = (label: string, options?: FrontendOptions) => openVictim(watched, other, label, options)
  const inject = (label: string, how: string): void => {
    if (how === 'terminate') terminate(label)
    else watched.bus.call(label, 'fault', { how }).catch(() => {})
  }
  const check = (expected: Omit<Expected, 'others'>) => checkPromise(watched, { others, ...expected })

  async function breaks({ how, of, ...options }: Fault, label: string): Promise<void> {
    const { calls, held } = await open(label, options)
    inject(label, how)
    await check({
      label,
      calls,
      serves: () => watched.bus.call(label, 'calls'),
      told: [
        { name: 'fault', error: { message: expect.stringMatching(of) as string } },
        { name: 'restart', actor: 'frontend', restarts: 1 },
      ],
    })
    await vi.waitFor(async () => expect(await held()).toEqual({ began: 2, aborted: 1 }), { timeout: 10_000 })
  }

  describe.concurrent.each(['port', 'ring'] as const)('over a %s', link => {
    test.each(faults)('$how', async fault => {
      await breaks({ link, sandbox: 'permission', ...fault }, `${fault.how}-${link}`.replace(' ', '-'))
    })
  })

  test.concurrent.each(processes)('in a process: $how', async fault => {
    await breaks({ sandbox: 'process', ...fault }, `${fault.how}-process`)
  })
})
