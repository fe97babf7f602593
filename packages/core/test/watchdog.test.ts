// Hooks that do not come back, or eat their memory, in real gates: each gate is ended and started again, and nobody else
// notices.
import { describe, expect, test } from 'vitest'
import type { BusOptions, Client } from '../src/index.js'
import { fixture, isolation, next, start } from './start.js'

const LIMIT = 300

const stuck = async (options: Partial<BusOptions> = {}, hook = 'stuck', hookTimeout = LIMIT) => {
  const bus = await start({ app: isolation(hook, { hookTimeout }), ...options })
  const faults: { label: string; error: Error }[] = []
  bus.on('fault', fault => void faults.push(fault))
  return { bus, faults }
}
const text = (label: string, limit = LIMIT): string =>
  `The isolation hook of "${label}" did not return within ${limit} ms`
/** The gate has been started again. */
const again = (client: Client) =>
  expect.poll(() => client.invoke('add', { a: 1, b: 2 }).catch(() => undefined), { timeout: 10_000 }).toBe(3)
const disconnected = { reason: 'Disconnected', data: { delivered: 'unknown' } }

/** What a ring may change is when a hook is run, and what has gone on by then. */
describe.each([
  ['port', ['spin', 'spin-in-promise', 'spin-behind', 'promises', 'regex', 'getter', 'thenable', 'question']],
  ['ring', ['spin', 'spin-behind', 'promises']],
] as const)('over a %s', (link, hooks) => {
  test.each(hooks)('a hook that is stuck (%s) is ended with its gate, which is started again', async hook => {
    const { bus, faults } = await stuck({ onConfirm: () => true })
    const client = await bus.connect('tests', { link })
    const calls = [client.invoke('add', { hook }), client.invoke('add', { a: 1, b: 2 })]
    // What passed before its hook was stuck in a promise goes on: its answer may be the one that comes.
    const results = await Promise.allSettled(calls)
    if (hook !== 'spin-behind' && hook !== 'promises') {
      expect(results).toMatchObject(Array(2).fill({ status: 'rejected', reason: disconnected }))
    }
    await expect
      .poll(() => faults)
      .toMatchObject([{ label: 'tests', error: { reason: 'Timeout', message: text('tests') } }])
    await again(client)
    expect(faults.length).toBe(1)
  })
})

test('also after a hundred messages that passed', async () => {
  const { bus, faults } = await stuck()
  const client = await bus.connect('tests')
  for (let i = 0; i < 100; i++) expect(await client.invoke('add', { a: i, b: 1 })).toBe(i + 1)
  await expect(client.invoke('add', { hook: 'spin' })).rejects.toMatchObject(disconnected)
  await expect.poll(() => faults).toMatchObject([{ label: 'tests', error: { message: text('tests') } }])
})

test('the other frontends’ calls go on meanwhile', async () => {
  const { bus, faults } = await stuck({}, 'stuck', 1000)
  const [one, two] = await Promise.all([bus.connect('one'), bus.connect('two')])
  let over = false
  const spinning = one.invoke('add', { hook: 'spin' }).finally(() => (over = true))
  spinning.catch(() => {})
  let meanwhile = 0
  while (!over) {
    expect(await two.invoke('add', { a: 1, b: 2 })).toBe(3)
    meanwhile += 1
  }
  await expect(spinning).rejects.toMatchObject(disconnected)
  // Two threads share what the third leaves.
  expect(meanwhile).toBeGreaterThan(100)
  expect(await two.invoke('add', { a: 1, b: 2 })).toBe(3)
  expect(faults.map(({ label }) => label)).toEqual(['one'])
})

test.each(['none', 'process'] as const)(
  'a frontend goes with a gate that is not started again, and the bus tells of its end: %s',
  async sandbox => {
    const { bus, faults } = await stuck({ supervision: { restart: 'temporary' } })
    const destroyed = next(bus, 'tauri://destroyed')
    const source = `import { invoke } from '${import.meta.resolve('@sallyport/frontend')}'
    await invoke('add', { hook: 'spin' })`
    await bus.open('bad', new URL(`data:text/javascript,${encodeURIComponent(source)}`), { sandbox })
    expect(await destroyed).toEqual({ label: 'bad' })
    await expect.poll(() => faults).toMatchObject([{ label: 'bad', error: { message: text('bad') } }])
    const close = () => bus.closeFrontend('bad').catch((error: Error) => error.message)
    await expect.poll(close).toMatch(/no frontend/)
  },
)

describe.each(['stuck-at-load', 'stuck-after-load'])('scripts that never end (%s)', hook => {
  test('stop the start', async () => {
    const app = isolation(hook, { hookTimeout: LIMIT })
    await expect(start({ app, frontends: { main: fixture('main.mjs') } })).rejects.toMatchObject({
      reason: 'Timeout',
      message: text('main'),
    })
  })

  test('fail a connection, and the label is free again', async () => {
    const { bus } = await stuck({}, hook)
    for (let i = 0; i < 2; i++) {
      await expect(bus.connect('tests')).rejects.toMatchObject({ reason: 'Timeout', message: text('tests') })
    }
  })
})

describe('is not stuck', () => {
  test('a hook that waits for an answer to confirm', async () => {
    const onConfirm = () => new Promise<boolean>(resolve => setTimeout(resolve, 4 * LIMIT, true))
    const { bus, faults } = await stuck({ onConfirm })
    const client = await bus.connect('tests')
    expect(await client.invoke('echo', { hook: 'confirm' })).toEqual({ answer: true })
    expect(faults).toEqual([])
  })

  test('but one that is, after it was answered', async () => {
    const { bus } = await stuck({ onConfirm: () => false })
    const client = await bus.connect('tests')
    await expect(client.invoke('echo', { hook: 'after-confirm' })).rejects.toMatchObject(disconnected)
  })

  test('a hook whose promise takes its time', async () => {
    const { bus, faults } = await stuck()
    const client = await bus.connect('tests')
    const waits = client.invoke('add', { hook: 'never' }, { timeout: 3 * LIMIT })
    await expect(waits).rejects.toMatchObject({ reason: 'Timeout', message: expect.stringMatching(/add/) as string })
    expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
    expect(faults).toEqual([])
  })

  test('a hook that is busy for longer than the limit, one message after the other', async () => {
    const { bus, faults } = await stuck()
    const client = await bus.connect('tests')
    const calls = Array.from({ length: 40 }, () => client.invoke('add', { a: 1, b: 2, hook: 'busy' }))
    expect(await Promise.all(calls)).toEqual(Array(40).fill(3))
    expect(faults).toEqual([])
  })
})

describe('a hook that eats memory', () => {
  test('in one call is stuck in it', async () => {
    const { bus, faults } = await stuck()
    const [client, other] = await Promise.all([bus.connect('tests'), bus.connect('other')])
    await expect(client.invoke('add', { hook: 'memory' })).rejects.toMatchObject(disconnected)
    await expect.poll(() => faults).toMatchObject([{ label: 'tests', error: { message: text('tests') } }])
    expect(await other.invoke('add', { a: 1, b: 2 })).toBe(3)
  })

  test.each([
    ['keep', '768 MiB'],
    ['keep-bytes', '2048 MiB of bytes'],
  ])('a little with each message is ended, and says so (%s)', async (hook, limit) => {
    const { bus, faults } = await stuck({}, 'stuck', 5000)
    const [client, other] = await Promise.all([bus.connect('tests'), bus.connect('other')])
    const fill = async () => {
      for (;;) await client.invoke('add', { a: 1, b: 2, hook })
    }
    await expect(fill()).rejects.toMatchObject({ reason: 'Disconnected' })
    const message = `The isolation hook of "tests" keeps more than ${limit}`
    await expect.poll(() => faults).toMatchObject([{ label: 'tests', error: { reason: 'Overloaded', message } }])
    expect(await other.invoke('add', { a: 1, b: 2 })).toBe(3)
    await again(client)
  })
})
