// Frontends that fail in every way, in both patterns and over each link, while others keep running.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import type { Client, FrontendOptions } from '../../../src/index.js'
import { isolation, patterns } from '../../support/start.js'
import { soon, takeClock } from '../../support/supervised.js'
import { checkGuarantee, watch, type Expected, type Watched } from './guarantee.js'
import { terminate } from './threads.js'
import { at, everything, openVictim } from './victims.js'

vi.mock(import('../../../src/life/workers/spawn.js'), async original =>
  (await import('./threads.js')).reaching(original),
)

interface Fault extends FrontendOptions {
  how: string
  /** The reported error. */
  error: RegExp
}

const faults: Fault[] = [
  { how: 'exit', error: /exited with code 3/ },
  { how: 'throw', error: /broken on purpose/ },
  { how: 'throw null', error: /null/ },
  { how: 'rejection', error: /broken on purpose/ },
  { how: 'overflow', error: /call stack/ },
  { how: 'loop', error: /blocked its event loop for 60000 ms/, supervision: { heartbeat: 60_000 } },
  { how: 'terminate', error: /exited with code 1/ },
]
const processes: Fault[] = [
  { how: 'exit', error: /exited with code 3/ },
  { how: 'throw', error: /broken on purpose/ },
  { how: 'heap', error: /./, sandbox: { kind: 'process', resourceLimits: { maxOldGenerationSizeMb: 48 } } },
]
/** In isolation: a gate sees that its link closes, or that nothing is read. The other ends differ only in the frontend. */
const SEEN_BY_GATES = ['exit', 'throw', 'loop', 'terminate']

describe.each(patterns)('%s', (name, app) => {
  let watched: Watched
  let other: Client
  const others = () => other.invoke('add', { a: 1, b: 2 })

  beforeAll(async () => {
    watched = await watch({
      core: at('core.mjs'),
      ...(name === 'isolation' ? isolation(undefined, {}, everything) : app),
      // Only of code that is blocked: the test moves the clock.
      supervision: { ...soon, heartbeat: false },
    })
    other = await watched.bus.connect('other')
  })
  afterAll(() => watched.close())

  const open = (label: string, options?: FrontendOptions) => openVictim(watched, other, label, options)
  const inject = (label: string, how: string): void => {
    if (how === 'terminate') terminate(label)
    else watched.bus.call(label, 'fault', { how }).catch(() => {})
  }
  const check = (expected: Omit<Expected, 'others'>) => checkGuarantee(watched, { others, ...expected })

  async function expectRestart({ how, error, ...options }: Fault, label: string): Promise<void> {
    const { calls, held } = await open(label, options)
    inject(label, how)
    const isFound = () => watched.events.some(event => event.label === label)
    if (how === 'loop') await expect.poll(() => isFound() || void vi.advanceTimersByTime(15_000)).toBe(true)
    await check({
      label,
      calls,
      serves: () => watched.bus.call(label, 'calls'),
      events: [
        { name: 'fault', error: { message: expect.stringMatching(error) as string } },
        { name: 'restart', worker: 'frontend', restarts: 1 },
      ],
    })
    await expect.poll(held).toEqual({ began: 2, aborted: 1 })
  }

  const isTested = ({ how }: Fault): boolean => name === 'brownfield' || SEEN_BY_GATES.includes(how)

  test('a frontend that fails in any way restarts', async () => {
    takeClock('polls of heartbeats')
    await rows(faults.filter(isTested))(fault => expectRestart(fault, fault.how.replace(' ', '-')))
  })

  test('a frontend in a process that fails in any way restarts', () =>
    rows(processes.filter(isTested))(fault => expectRestart({ sandbox: 'process', ...fault }, `${fault.how}-process`)))
})
