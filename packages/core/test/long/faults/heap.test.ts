// Frontends and hooks that fill their heap end with an error of their own, whatever the limit; others keep running.
// oxlint-disable-next-line sallyport/no-real-time -- V8 shrinks the heap of a thread that idles
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, test, vi } from 'vitest'
import { choose } from '../../../../../scripts/testing.js'
import type { Client } from '../../../src/index.js'
import { checkGuarantee, watch, type Watched } from './guarantee.js'
import { at, everything, openVictim } from './victims.js'

// The real default takes seconds to fill.
vi.mock(import('../../../src/shared/heap-limit.js'), async original => ({ ...(await original()), DEFAULT_HEAP_MB: 96 }))
vi.mock(import('../../../src/life/workers/spawn.js'), async original =>
  (await import('./threads.js')).reaching(original),
)

let watched: Watched
let other: Client
const others = () => other.invoke('add', { a: 1, b: 2 })

beforeAll(async () => {
  const dir = new URL('hook/', import.meta.url)
  const supervision = { delay: { min: 20, max: 100 }, intensity: 1000, heartbeat: false } as const
  watched = await watch({
    core: at('core.mjs'),
    supervision,
    isolation: { dir, hookTimeout: 60_000 },
    capabilities: [everything],
  })
  other = await watched.bus.connect('other')
})
afterAll(() => watched.close())

const expectRestart = (
  name: string,
  label: string,
  calls: Record<string, Promise<unknown>>,
  serves: () => Promise<unknown>,
) =>
  checkGuarantee(watched, {
    ...{ label, calls, others, serves },
    events: [
      { name: 'fault', error: { message: `${name} ${JSON.stringify(label)} ran out of memory` } },
      { name: 'restart', restarts: 1 },
    ],
  })

/** Fills the heap of a frontend in the sandbox of the permission model. */
async function fillFrontend(
  label: string,
  resourceLimits: { maxOldGenerationSizeMb?: number },
  idleFor: number,
): Promise<void> {
  const { calls } = await openVictim(watched, other, label, { sandbox: { kind: 'permission', resourceLimits } })
  await setTimeout(idleFor)
  watched.bus.call(label, 'fault', { how: 'heap' }).catch(() => {})
  await expectRestart('frontend', label, calls, () => watched.bus.call(label, 'calls'))
}

// A large heap takes long to fill, and limits apply in the same way to all threads.
const limits = [
  ['a limit of 256 MB', 'heap-256', { maxOldGenerationSizeMb: 256 }, 0],
  ['a limit of 64 MB, after its thread was idle', 'heap-idle', { maxOldGenerationSizeMb: 64 }, 1500],
  ['a limit of 64 MB', 'heap-64', { maxOldGenerationSizeMb: 64 }, 0],
  ['the default limit', 'default', {}, 0],
] as const

test.each(choose(limits))(
  '%s ends only the frontend that exceeds it',
  { timeout: 150_000 },
  async (_name, ...limit) => {
    await fillFrontend(...limit)
  },
)

test('the limit of a gate ends only the gate whose hook exceeds it', { timeout: 150_000 }, async () => {
  const label = 'default-hook'
  const client = await watched.bus.connect(label)
  const call = client.invoke('add', { a: 1, b: 2, hook: 'heap' })
  await expectRestart('gate', label, { call }, () => client.invoke('add', { a: 1, b: 2 }))
})
