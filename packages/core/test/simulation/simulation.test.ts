// Seeds of the simulation, which differ in CI only by what their numbers choose. `npm run simulate` gives others, and replays one.
import { expect, test, vi } from 'vitest'
import { explore, report } from './explore.js'
import { runSeed } from './run-seed.js'

// The packages as they are written, with bounds that a few messages reach, and all of their time in the simulation's hands.
vi.mock('@sallyport/protocol', () => import('../../../protocol/src/index.js'))
vi.mock('@sallyport/protocol/records', () => import('../../../protocol/src/records.js'))
vi.mock('@sallyport/protocol/internal', () => import('../../../protocol/src/internal.js'))
vi.mock('../../../protocol/src/bounds.js', async importOriginal => {
  const { BOUNDS } = await import('./bounds.js')
  return {
    ...(await importOriginal<object>()),
    MAX_IN_FLIGHT: BOUNDS.inFlight,
    MAX_CHANNELS: BOUNDS.channels,
    MAX_LISTENERS: BOUNDS.listeners,
    MIN_ATTACHMENT_BYTES: BOUNDS.attachment,
    CREDIT_WINDOW_BYTES: BOUNDS.creditWindow,
    CREDIT_STEP_BYTES: BOUNDS.creditStep,
    BUFFER_COST: BOUNDS.bufferCost,
  }
})
vi.mock('../../../protocol/src/contract.js', async importOriginal => {
  const { BOUNDS } = await import('./bounds.js')
  return { ...(await importOriginal<object>()), CHANNEL_WINDOW: BOUNDS.channelWindow }
})
vi.mock('node:timers/promises', () => import('./timers-promises.js'))

const { SALLYPORT_SIMULATE_SEED, SALLYPORT_SIMULATE_SEEDS, SALLYPORT_SIMULATE_LINES } = process.env
const first = Number(SALLYPORT_SIMULATE_SEED ?? 1)
const seeds = Number(SALLYPORT_SIMULATE_SEEDS ?? 1500)
const lines = Number(SALLYPORT_SIMULATE_LINES ?? 60)

test(`${seeds} seeds from ${first} on keep to the model of the bus`, { timeout: 60_000 + seeds * 100 }, async () => {
  const explored = await explore(first, seeds, lines)
  if (SALLYPORT_SIMULATE_SEED) console.log(explored.failure ?? '', report(explored))
  expect(explored.failure).toBeUndefined()
})

test.runIf(SALLYPORT_SIMULATE_SEED === undefined)('a seed repeats, step by step', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const [one, other] = [await traceOf(seed), await traceOf(seed)]
    expect(one.length).toBeGreaterThan(10)
    expect(one).toEqual(other)
  }
})

/** Channels have other ids each time. */
const traceOf = async (seed: number): Promise<string[]> =>
  (await runSeed(seed, { traced: true })).lines.map(line => line.replaceAll(/\b1\d{6}\b/gu, 'id'))
