// Core that fails as it starts: at first `createBus` rejects; later it is tried again, until that has been too often.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { setEnvironmentData } from 'node:worker_threads'
import type { BusOptions, Client } from '../../src/index.js'
import { fixture, isolation } from '../start.js'
import { soon } from '../supervised.js'
import { checkPromise, watch, type Watched } from './promise.js'

const core = fixture('failing-core.mjs')
const main = fixture('waiting-frontend.mjs')
const capability = { identifier: 'all', windows: ['*'], permissions: ['which', 'wait', 'exit'].map(n => `allow-${n}`) }
const apps = { brownfield: {}, isolation: isolation('judge', {}, capability) }

/** How often core has been started since it was told how, and how often it came to its setup. */
const starts = new Int32Array(new SharedArrayBuffer(8))

function startsThus(how: string): void {
  starts.fill(0)
  setEnvironmentData('failing-core', { how, starts })
}

let watched: Watched | undefined
let client: Client

async function begin(
  pattern: keyof typeof apps,
  link: 'port' | 'ring',
  options: Partial<BusOptions> = {},
): Promise<Watched> {
  startsThus('well')
  const frontends = { main: { module: main, link } }
  watched = await watch({ core, app: apps[pattern], frontends, supervision: { ...soon, heartbeat: 1000 }, ...options })
  client = await watched.bus.connect('tests', { link })
  await expect.poll(() => watched!.bus.call('main', 'which').catch(() => {})).toBeTypeOf('number')
  return watched
}

/** Core ends, and what is in flight with it. */
const end = (): Record<string, Promise<unknown>> => ({
  host: watched!.bus.call('main', 'wait'),
  wait: client.invoke('wait'),
  exit: client.invoke('exit'),
})

afterEach(async () => {
  vi.useRealTimers()
  await watched?.close()
  watched = undefined
})

const failures: [how: string, message: string][] = [
  ['throws as it is loaded', 'can’t be loaded: not loaded'],
  ['exits as it is loaded', 'core exited with code 3'],
  ['computes for ever as it is loaded', 'core blocked its event loop for 1000 ms'],
  ['throws in setup', 'not set up'],
]

test.each(failures)('the first core %s: createBus rejects, and starts it once', async (how, message) => {
  startsThus(how)
  const starting = watch({ core, frontends: { main }, supervision: { ...soon, heartbeat: 1000 } })
  await expect(starting).rejects.toThrow(message)
  expect(starts[0]).toBe(1)
})

const ways = [
  ['brownfield', 'ring'],
  ['isolation', 'port'],
] as const

describe.each(ways)('a core that is started again, %s, %s,', (pattern, link) => {
  test('throws once as it is loaded: it is started once more, and the bus serves', async () => {
    await begin(pattern, link)
    startsThus('throws once')
    const served = await checkPromise(watched!, {
      label: 'core',
      calls: end(),
      serves: () => client.invoke('which'),
      told: [
        'fault',
        'restart',
        'fault',
        { name: 'restart', error: { message: expect.stringContaining('not loaded') as string } },
      ],
    })
    expect(await watched!.bus.call('main', 'which')).toBe(served)
    expect(starts[0]).toBe(2)
  })

  // A loop is found in the same way in both patterns, and takes its time.
  const mine = failures.filter(([how]) => pattern === 'isolation' || how !== 'computes for ever as it is loaded')

  test.each(mine)('%s each time: the bus has failed, and says why', async (how, message) => {
    const limited = { ...soon, intensity: 2, period: 600_000, heartbeat: 1000 }
    const { bus, told } = await begin(pattern, link, { supervision: limited })
    startsThus(how)
    const calls = end()
    await Promise.allSettled(Object.values(calls))
    const late = bus.connect('late')
    late.catch(() => {})
    const expected = { label: 'core', calls, serves: 'failed' } as const
    await checkPromise(watched!, { ...expected, told: ['fault', 'restart', 'fault', 'restart', 'fault', 'failed'] })
    expect(starts[0]).toBe(2)
    await expect(late).rejects.toThrow(/core failed 3 times|The bus is failed/)
    const why = told.at(-1)!.error.message
    expect(why).toMatch(/^core failed 3 times within 600000 ms and will not be restarted. Last error: /)
    expect(why).toContain(message)
    for (const call of [client.invoke('which'), bus.emit('x'), bus.call('main', 'which')]) {
      await expect(call).rejects.toMatchObject({
        reason: 'Disconnected',
        message: expect.stringContaining(message) as string,
      })
    }
    await expect(bus.open('more', main)).rejects.toThrow('The bus is failed')
  })

  test('hangs in setup: it is ended after a minute, and started again', async () => {
    const { bus } = await begin(pattern, link)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    startsThus('hangs in setup')
    const calls = end()
    await Promise.allSettled(Object.values(calls))
    await vi.advanceTimersByTimeAsync(1000)
    await expect.poll(() => starts[1]).toBe(1)
    await expect(client.invoke('which')).rejects.toMatchObject({ reason: 'Disconnected', data: { delivered: 'no' } })
    startsThus('well')
    await vi.advanceTimersByTimeAsync(61_000)
    vi.useRealTimers()
    const late = { message: 'core restarted and was not ready after 60000 ms' }
    const served = await checkPromise(watched!, {
      label: 'core',
      calls,
      serves: () => client.invoke('which'),
      told: ['fault', 'restart', { name: 'fault', error: late }, { name: 'restart', error: late }],
    })
    expect(await bus.call('main', 'which')).toBe(served)
  })

  test('hangs in setup: the bus can be closed', async () => {
    await begin(pattern, link)
    startsThus('hangs in setup')
    await Promise.allSettled(Object.values(end()))
    await expect.poll(() => starts[1]).toBe(1)
  })

  test('dies while frontends and gates start: they come up with the next one', async () => {
    const { bus } = await begin(pattern, link)
    const opening = ['a', 'b', 'c'].map(async label => bus.open(label, main, { link }))
    const connecting = bus.connect('late', { link })
    const served = await checkPromise(watched!, { label: 'core', calls: end(), serves: () => client.invoke('which') })
    await Promise.all(opening)
    expect(await (await connecting).invoke('which')).toBe(served)
    for (const label of ['a', 'b', 'c']) {
      await expect.poll(() => bus.call(label, 'which').catch(() => {})).toBe(served)
    }
  })

  test('dies again and again under calls: each of them settles, and then it serves', async () => {
    const { bus } = await begin(pattern, link)
    const calls: Record<string, Promise<unknown>> = {}
    for (let round = 0; round < 8; round++) {
      for (let i = 0; i < 20; i++) calls[`${round}.${i}`] = client.invoke(i === 10 ? 'exit' : 'which')
      calls[`${round}.host`] = bus.call('main', 'which')
      await Promise.allSettled(Object.values(calls))
      await expect.poll(() => client.invoke('which').catch(() => {})).toBeTypeOf('number')
    }
    await checkPromise(watched!, {
      label: 'core',
      calls,
      reasons: ['Disconnected', 'resolved'],
      serves: () => bus.call('main', 'which'),
      told: Array.from({ length: 8 }, () => ['fault', 'restart'] as const).flat(),
    })
  })
})
