// Core that fails at its start: the first time `createBus` rejects; later core restarts until the intensity is exceeded.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { setEnvironmentData } from 'node:worker_threads'
import { choose, rows } from '../../../../../scripts/testing.js'
import type { BusOptions, Client } from '../../../src/index.js'
import { fixture, isolation } from '../../support/start.js'
import { settle, soon, takeClock } from '../../support/supervised.js'
import { checkGuarantee, watch, type Watched } from './guarantee.js'

const core = fixture('supervision/failing-core.mjs')
const main = fixture('supervision/waiting-frontend.mjs')
const capability = { identifier: 'all', windows: ['*'], permissions: ['which', 'wait', 'exit'].map(n => `allow-${n}`) }
const apps = { brownfield: {}, isolation: isolation('judge', {}, capability) }

/** How often core was started since `failWith`, and how often it reached its setup. */
const starts = new Int32Array(new SharedArrayBuffer(8))

function failWith(how: string): void {
  starts.fill(0)
  setEnvironmentData('failing-core', { how, starts })
}

let watched: Watched | undefined
let client: Client

async function begin(pattern: keyof typeof apps, options: Partial<BusOptions> = {}): Promise<Watched> {
  failWith('well')
  const frontends = { main }
  watched = await watch({ core, ...apps[pattern], frontends, supervision: soon, ...options })
  client = await watched.bus.connect('tests')
  await watched.bus.call('main', 'which')
  return watched
}

/** Makes core exit. Returns the calls that are in flight. */
const exitCore = (): Record<string, Promise<unknown>> => ({
  host: watched!.bus.call('main', 'wait'),
  wait: client.invoke('wait'),
  exit: client.invoke('exit'),
})

const end = async (): Promise<void> => {
  vi.useRealTimers()
  await watched?.close()
  watched = undefined
}

/** The heartbeat of core is watched only if core blocks: the test moves the clock. Others are not watched. */
const superviseFor = (how: string, limits = {}) => {
  const heartbeat = how.startsWith('blocks') && (60_000 as const)
  return {
    core: { module: core, supervision: { ...soon, heartbeat, ...limits } },
    supervision: { ...soon, heartbeat: false },
  } as const
}

const failures: [how: string, message: string][] = [
  ['throws while loading', 'could not be loaded: not loaded'],
  ['exits while loading', 'core exited with code 3'],
  ['blocks forever while loading', 'core blocked its event loop for 60000 ms'],
  ['throws in setup', 'not set up'],
]

test('createBus rejects and starts core once when the first core fails', async () => {
  takeClock('polls of heartbeats')
  await rows(failures)(async (how, message) => {
    failWith(how)
    const starting = watch({ frontends: { main }, ...superviseFor(how) })
    await settle(starting)
    await expect(starting).rejects.toThrow(message)
    expect(starts[0]).toBe(1)
  })
})

test('createBus rejects when core fails for good while a gate still starts', async () => {
  failWith('exits, then throws')
  const app = isolation('stuck-at-load', {}, capability)
  const starting = watch({ ...app, frontends: { main }, ...superviseFor('', { intensity: 1 }) })
  await expect(starting).rejects.toThrow('not loaded again')
})

const routes = choose(['brownfield', 'isolation'] as const)

describe.each(routes)('a core that restarts, %s,', pattern => {
  beforeAll(() => begin(pattern))
  beforeEach(() => {
    failWith('well')
    watched!.events.length = 0
  })
  afterEach(() => void vi.useRealTimers())
  afterAll(end)

  test('restarts again and serves when it throws once while loading', async () => {
    failWith('throws once')
    const served = await checkGuarantee(watched!, {
      label: 'core',
      calls: exitCore(),
      serves: () => client.invoke('which'),
      events: [
        'fault',
        'restart',
        'fault',
        { name: 'restart', error: { message: expect.stringContaining('not loaded') as string } },
      ],
    })
    expect(await watched!.bus.call('main', 'which')).toBe(served)
    expect(starts[0]).toBe(2)
  })

  test('is terminated after a minute, and restarts, when it hangs in setup', async () => {
    const { bus } = watched!
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    failWith('hangs in setup')
    const calls = exitCore()
    await Promise.allSettled(Object.values(calls))
    await vi.advanceTimersByTimeAsync(1000)
    await expect.poll(() => starts[1]).toBe(1)
    await expect(client.invoke('which')).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
    failWith('well')
    await vi.advanceTimersByTimeAsync(61_000)
    vi.useRealTimers()
    const late = { message: 'core restarted and was not ready after 60000 ms' }
    const served = await checkGuarantee(watched!, {
      label: 'core',
      calls,
      serves: () => client.invoke('which'),
      events: ['fault', 'restart', { name: 'fault', error: late }, { name: 'restart', error: late }],
    })
    expect(await bus.call('main', 'which')).toBe(served)
  })

  test('connects frontends and gates to the next core when it exits while they start', async () => {
    const { bus } = watched!
    const opening = ['a', 'b', 'c'].map(async label => bus.open(label, main, { allow: '*' }))
    const connecting = bus.connect('late')
    const served = await checkGuarantee(watched!, {
      label: 'core',
      calls: exitCore(),
      serves: () => client.invoke('which'),
    })
    await Promise.all(opening)
    const late = await connecting
    expect(await late.invoke('which')).toBe(served)
    await late.close()
    for (const label of ['a', 'b', 'c']) {
      await expect.poll(() => bus.call(label, 'which').catch(() => {})).toBe(served)
      await bus.closeFrontend(label)
    }
  })

  test('settles every call and serves again after repeated exits', async () => {
    const { bus } = watched!
    const calls: Record<string, Promise<unknown>> = {}
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 20; i++) calls[`${round}.${i}`] = client.invoke(i === 10 ? 'exit' : 'which')
      calls[`${round}.host`] = bus.call('main', 'which')
      await Promise.allSettled(Object.values(calls))
      await expect.poll(() => client.invoke('which').catch(() => {})).toBeTypeOf('number')
    }
    await checkGuarantee(watched!, {
      label: 'core',
      calls,
      reasons: ['Disconnected', 'resolved'],
      serves: () => bus.call('main', 'which'),
      events: Array.from({ length: 4 }, () => ['fault', 'restart'] as const).flat(),
    })
  })

  // It closes the bus that the tests before share.
  test('lets the bus close while it hangs in setup', async () => {
    failWith('hangs in setup')
    await Promise.allSettled(Object.values(exitCore()))
    await expect.poll(() => starts[1]).toBe(1)
    await watched!.close()
  })
})

describe.each(routes)('a core that restarts for the last time, %s,', pattern => {
  afterEach(end)

  test('fails the bus with the reason when it fails each time', () =>
    rows(failures)(async (how, message) => {
      takeClock('polls of heartbeats')
      const options = superviseFor(how, { intensity: 2, period: 600_000 })
      const { bus, events } = await begin(pattern, options)
      failWith(how)
      const calls = exitCore()
      await Promise.allSettled(Object.values(calls))
      const late = bus.connect('late')
      late.catch(() => {})
      await expect.poll(() => events.at(-1)?.name === 'failed' || void vi.advanceTimersByTime(15_000)).toBe(true)
      const expected = { label: 'core', calls, serves: 'failed' } as const
      await checkGuarantee(watched!, {
        ...expected,
        events: ['fault', 'restart', 'fault', 'restart', 'fault', 'failed'],
      })
      expect(starts[0]).toBe(2)
      await expect(late).rejects.toThrow(/core failed 3 times|The bus is failed/)
      const why = events.at(-1)!.error.message
      expect(why).toMatch(/^core failed 3 times within 600000 ms and will not be restarted. Last error: /)
      expect(why).toContain(message)
      for (const call of [client.invoke('which'), bus.emit('x'), bus.call('main', 'which')]) {
        await expect(call).rejects.toMatchObject({
          reason: 'Disconnected',
          message: expect.stringContaining(message) as string,
        })
      }
      await expect(bus.open('more', main)).rejects.toThrow('The bus is failed')
      await end()
    }))
})
