// Frontends and hooks that fill their heap end with an error of their own, whatever the limit; others keep running.
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, test, vi } from 'vitest'
import type { Client } from '../../../src/index.js'
import { checkGuarantee, watch, type Watched } from './guarantee.js'
import { at, everything, openVictim } from './victims.js'

// The real default takes seconds to fill.
vi.mock(import('../../../src/shared/heap-limit.js'), async original => ({ ...(await original()), DEFAULT_HEAP_MB: 96 }))
vi.mock(import('../../../src/host/workers/spawn.js'), async original =>
  (await import('./threads.js')).reaching(original),
)

let watched: Watched
let other: Client
const others = () => other.invoke('add', { a: 1, b: 2 })
/** A busy machine fills the heap slowly. */
const unhurried = { settleTimeout: 50_000, eventTimeout: 50_000 }

beforeAll(async () => {
  const dir = new URL('hook/', import.meta.url)
  const pattern = { use: 'isolation', options: { dir, hookTimeout: 50_000 } } as const
  const supervision = { delay: { min: 20, max: 100 }, intensity: 1000, heartbeat: false } as const
  watched = await watch({
    core: at('core.mjs'),
    supervision,
    app: { security: { pattern, capabilities: [everything] } },
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
    ...{ label, calls, others, serves, ...unhurried },
    events: [
      { name: 'fault', error: { message: `${name} ${JSON.stringify(label)} ran out of memory` } },
      { name: 'restart', restarts: 1 },
    ],
  })

/** Fills the heap of a frontend in the sandbox of the permission model. */
async function fillFrontend(
  label: string,
  resourceLimits: { maxOldGenerationSizeMb?: number },
  idleFor = 0,
): Promise<void> {
  const { calls } = await openVictim(watched, other, label, { sandbox: { kind: 'permission', resourceLimits } })
  await setTimeout(idleFor)
  watched.bus.call(label, 'fault', { how: 'heap' }).catch(() => {})
  await expectRestart('frontend', label, calls, () => watched.bus.call(label, 'calls'))
}

// A large heap takes long to fill, and limits apply in the same way to all threads.
test('a limit of 256 MB ends only the frontend that exceeds it', { timeout: 150_000 }, async () => {
  await fillFrontend('heap-256', { maxOldGenerationSizeMb: 256 })
})

test('a heap is checked in time after its thread was idle', { timeout: 150_000 }, async () => {
  await fillFrontend('heap-idle', { maxOldGenerationSizeMb: 64 }, 1500)
})

describe.each([64, undefined])('a limit of %s MB', { timeout: 150_000 }, limit => {
  const resourceLimits = limit === undefined ? {} : { maxOldGenerationSizeMb: limit }
  const prefix = limit === undefined ? 'default' : `heap-${limit}`

  test('ends only the frontend that exceeds it: permission', async () => {
    await fillFrontend(`${prefix}-permission`, resourceLimits)
  })
})

test('the limit of a gate ends only the gate whose hook exceeds it', { timeout: 150_000 }, async () => {
  const label = 'default-hook'
  const client = await watched.bus.connect(label)
  const call = client.invoke('add', { a: 1, b: 2, hook: 'heap' })
  await expectRestart('gate', label, { call }, () => client.invoke('add', { a: 1, b: 2 }))
})
