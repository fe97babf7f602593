// @vitest-environment-options { "alone": "simulation" }
// Seeds of the simulation, always the same ones: the first of them in `npm test`, more in `npm run test:long`. `npm run simulate` runs
// others, each night thousands, and replays one.
import { describe, expect, test, vi } from 'vitest'
import { explore, fixIds, report } from './explore.js'
import { type Mode, runSeed } from './run-seed.js'

// Collecting garbage would end channels at a moment that no seed chooses, and would keep each world: a channel leads to all of it.
vi.hoisted(() => {
  globalThis.FinalizationRegistry = class {
    register = (): void => {}
    unregister = (): boolean => false
  } as unknown as FinalizationRegistryConstructor
})
// A thread that polls reads the real clock.
vi.stubEnv('SALLYPORT_POLL', '0')
// The packages' sources, with limits that a few messages reach, and with timers of the simulation.
// The entries share one bundle, so one mock takes the place of all of them.
vi.mock('@sallyport/protocol/internal/wire', () => import('../../../protocol/src/index.js'))
vi.mock('@sallyport/protocol/internal/records', () => import('../../../protocol/src/records.js'))
vi.mock('../../../protocol/src/wire/limits.js', async importOriginal => {
  const { BOUNDS } = await import('./bounds.js')
  // Read with each use, because each seed has its own.
  const read: Record<string, () => number> = {
    MAX_IN_FLIGHT: () => BOUNDS.inFlight,
    MAX_CHANNELS: () => BOUNDS.channels,
    MAX_LISTENERS: () => BOUNDS.listeners,
    CHANNEL_READ_AHEAD: () => BOUNDS.channelWindow * BOUNDS.channelCost,
    CHANNEL_MESSAGE_COST: () => BOUNDS.channelCost,
    STREAM_WINDOW: () => BOUNDS.channelWindow * BOUNDS.channelCost,
    MAX_STREAM_UNREAD: () => 4 * BOUNDS.channelWindow * BOUNDS.channelCost,
    MIN_ATTACHMENT_BYTES: () => BOUNDS.attachment,
    CREDIT_WINDOW_BYTES: () => BOUNDS.creditWindow,
    CREDIT_STEP_BYTES: () => BOUNDS.creditStep,
    BUFFER_COST: () => BOUNDS.bufferCost,
    RING_BYTES: () => BOUNDS.ring,
    MAX_CLIENT_QUEUE: () => BOUNDS.waiting,
    MAX_CLIENT_QUEUE_BYTES: () => BOUNDS.waitingBytes,
    MAX_EVENT_QUEUE: () => BOUNDS.waitingEvents,
    MAX_EVENT_QUEUE_BYTES: () => BOUNDS.waitingEventBytes,
    SOCKET_FRAMES_PER_PASS: () => BOUNDS.socketFrames,
    MAX_SESSION_QUEUE: () => BOUNDS.kept,
    MAX_SESSION_QUEUE_BYTES: () => BOUNDS.keptBytes,
    MAX_STOP_ROUNDS: () => BOUNDS.stopRounds,
  }
  const getters = Object.entries(read).map(([name, get]) => [name, { get, enumerable: true }])
  return Object.defineProperties({ ...(await importOriginal<object>()) }, Object.fromEntries(getters))
})
vi.mock('node:worker_threads', async importOriginal => {
  const { receiveMessageOnPort, SimulatedChannel } = await import('./virtual/threads.js')
  // Node 20 has no `isMarkedAsUntransferable`.
  const original = { isMarkedAsUntransferable: undefined, ...(await importOriginal<object>()) }
  return { ...original, MessageChannel: SimulatedChannel, receiveMessageOnPort }
})
vi.mock('../../../isolation/src/hook/load.js', () => import('./virtual/load-hook.js'))
vi.mock('../../../frontend/src/runtime/enter-sandbox.js', () => ({
  enterSandboxOnce: async ({ sandbox }: { sandbox: { frontend: { enterSandbox(): object } } }) =>
    sandbox.frontend.enterSandbox(),
}))
vi.mock('../../../quickjs/src/script-host/machine.js', async importOriginal => {
  const { VirtualMachine } = await import('./virtual/machine.js')
  return { ...(await importOriginal<object>()), Machine: VirtualMachine }
})
vi.mock('../../src/life/workers/spawn.js', async importOriginal => {
  const { spawnThread } = await import('./virtual/threads.js')
  return {
    ...(await importOriginal<object>()),
    spawnWorker: (_entry: string, data: object) => spawnThread('frontend', data),
  }
})
vi.mock('../../src/life/workers/spare-worker.js', async importOriginal => {
  const { spawnThread } = await import('./virtual/threads.js')
  return { ...(await importOriginal<object>()), startCoreWorker: (data: object) => spawnThread('core', data) }
})
vi.mock('../../src/life/frontends/services.js', async importOriginal => {
  const { spawnThread } = await import('./virtual/threads.js')
  return {
    ...(await importOriginal<object>()),
    GateThreads: class {
      open = (_name: string, data: object) => spawnThread('gate', data)
    },
  }
})
// The product takes it when it is imported: the simulation replaces it later.
vi.mock('node:timers', async importOriginal => ({
  ...(await importOriginal<object>()),
  setImmediate: (run: () => void) => globalThis.setImmediate(run),
}))
vi.mock('node:timers/promises', () => import('./virtual/timers-promises.js'))

const { SALLYPORT_SIMULATE_SEED, SALLYPORT_SIMULATE_SEEDS, SALLYPORT_SIMULATE_LINES, SALLYPORT_TEST_TIER } = process.env
const isLong = SALLYPORT_TEST_TIER === 'long'
const lines = Number(SALLYPORT_SIMULATE_LINES ?? 60)
/** `npm run simulate` can select one of the two worlds. */
const { SALLYPORT_SIMULATE_WORLD } = process.env

const worlds = [
  ['on their own', 'own', 30, 240],
  ['under the real host', 'host', 12, 120],
  ['that are held for any time', 'holds', 10, 120],
] as const

describe.for(worlds)('core, gates and clients %s', ([, mode, few, all]) => {
  const first = Number(SALLYPORT_SIMULATE_SEED ?? (isLong ? few + 1 : 1))
  const seeds = Number(SALLYPORT_SIMULATE_SEEDS ?? (isLong ? all - few : few))
  const runs = SALLYPORT_SIMULATE_WORLD === undefined || SALLYPORT_SIMULATE_WORLD === mode

  test.runIf(runs)(
    `follow the model for ${seeds} seeds from ${first} on`,
    { timeout: 180_000 + seeds * 500 },
    async () => {
      const explored = await explore(first, seeds, { lines, mode })
      if (SALLYPORT_SIMULATE_SEED) console.log(explored.failure ?? '', report(explored))
      expect(explored.failure).toBeUndefined()
    },
  )

  test.runIf(SALLYPORT_SIMULATE_SEED === undefined && !isLong)('repeat each step of a seed', async () => {
    fixIds()
    const seeds = [1, 2, 3]
    const traces = new Map<number, string[]>()
    for (const seed of seeds) traces.set(seed, await getTrace(seed, mode))
    // Each after another one than before.
    for (const seed of seeds.toReversed()) {
      expect(traces.get(seed)!.length).toBeGreaterThan(10)
      expect(await getTrace(seed, mode)).toEqual(traces.get(seed))
    }
  })
})

/** Returns the trace of a seed, without channel ids, which differ each time. */
const getTrace = async (seed: number, mode: Mode): Promise<string[]> =>
  (await runSeed(seed, { traced: true, mode })).lines.map(line => line.replaceAll(/\b1\d{6}\b/gu, 'id'))
