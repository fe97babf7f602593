// Hooks that never return or use too much memory, in real gates: each gate restarts, and other frontends are not affected.
import type { LinkKind } from '@sallyport/protocol/internal/link'
import { describe, expect, test } from 'vitest'
import type { BusOptions, Client } from '../../../src/index.js'
import { everyCommand, fixture, isolation, next, reuseBus, start } from '../../support/start.js'

const LIMIT = 500

const startStuck = async (options: Partial<BusOptions> = {}, hook = 'stuck', hookTimeout = LIMIT) => {
  const bus = await start({ app: isolation(hook, { hookTimeout }), ...options })
  const faults: { label: string; error: Error }[] = []
  bus.on('fault', fault => void faults.push(fault))
  return { bus, faults }
}

const reuse = reuseBus({ app: isolation('stuck', { hookTimeout: LIMIT }), onConfirm: () => true })
let labels = 0

/** Connects to a bus that tests share, with a label of its own: the restarts of a label are counted. */
const connectStuck = async (link: LinkKind = 'port') => {
  const bus = await reuse()
  const label = `tests-${++labels}`
  const faults: { label: string; error: Error }[] = []
  bus.on('fault', fault => void faults.push(fault))
  return { bus, label, faults, client: await bus.connect(label, { link }) }
}
const getMessage = (label: string, limit = LIMIT): string =>
  `The isolation hook of "${label}" did not return within ${limit} ms`
/** Waits until the gate has restarted. */
const waitForRestart = (client: Client) =>
  expect.poll(() => client.invoke('add', { a: 1, b: 2 }).catch(() => undefined)).toBe(3)
const disconnected = { reason: 'Disconnected', data: { delivered: 'unknown' } }

/** A ring can change when a hook runs, and which messages were forwarded by then. faults/gates.test.ts has a loop over a ring. */
describe.each([
  ['port', ['spin', 'spin-in-promise', 'spin-behind', 'promises', 'regex', 'getter', 'thenable', 'question']],
  ['ring', ['spin-behind', 'promises']],
] as const)('over a %s', (link, hooks) => {
  test.each(hooks)('restarts the gate of a hook that does not return (%s)', async hook => {
    const { label, faults, client } = await connectStuck(link)
    const calls = [client.invoke('add', { hook }), client.invoke('add', { a: 1, b: 2 })]
    // A message that passed before the hook hung in a promise is still answered.
    const results = await Promise.allSettled(calls)
    if (hook !== 'spin-behind' && hook !== 'promises') {
      expect(results).toMatchObject(Array(2).fill({ status: 'rejected', reason: disconnected }))
    }
    await expect.poll(() => faults).toMatchObject([{ label, error: { reason: 'Timeout', message: getMessage(label) } }])
    await waitForRestart(client)
    expect(faults.length).toBe(1)
  })
})

test('detects a hang after a hundred messages have passed', async () => {
  const { label, faults, client } = await connectStuck()
  for (let i = 0; i < 100; i++) expect(await client.invoke('add', { a: i, b: 1 })).toBe(i + 1)
  await expect(client.invoke('add', { hook: 'spin' })).rejects.toMatchObject(disconnected)
  await expect.poll(() => faults).toMatchObject([{ label, error: { message: getMessage(label) } }])
})

test('calls of other frontends are served while a hook hangs', async () => {
  const { bus, faults } = await startStuck({}, 'stuck', 3000)
  const [hung, busy] = await Promise.all([bus.connect('one'), bus.connect('two')])
  let over = false
  const spinning = hung.invoke('add', { hook: 'spin' }).finally(() => (over = true))
  spinning.catch(() => {})
  let meanwhile = 0
  while (!over) {
    expect(await busy.invoke('add', { a: 1, b: 2 })).toBe(3)
    meanwhile += 1
  }
  await expect(spinning).rejects.toMatchObject(disconnected)
  // Two threads share the cores that the hung one leaves.
  expect(meanwhile).toBeGreaterThan(100)
  expect(await busy.invoke('add', { a: 1, b: 2 })).toBe(3)
  expect(faults.map(({ label }) => label)).toEqual(['one'])
})

test.each(['none', 'process'] as const)(
  'a frontend ends with a gate that does not restart, with sandbox %s',
  async sandbox => {
    const { bus, faults } = await startStuck({ supervision: { restart: 'temporary' } })
    const destroyed = next(bus, 'tauri://destroyed')
    const source = `import { invoke } from '${import.meta.resolve('@sallyport/frontend')}'
    await invoke('add', { hook: 'spin' })`
    await bus.open('bad', new URL(`data:text/javascript,${encodeURIComponent(source)}`), { sandbox, loaded: false })
    expect(await destroyed).toEqual({ label: 'bad' })
    await expect.poll(() => faults).toMatchObject([{ label: 'bad', error: { message: getMessage('bad') } }])
    await bus.closeFrontend('bad')
    await expect.poll(async () => Object.keys((await bus.stats()).frontends)).toEqual([])
  },
)

describe.each(['stuck-at-load', 'stuck-after-load'])('hook scripts that never finish loading (%s)', hook => {
  test('make the start of the bus fail', async () => {
    const app = isolation(hook, { hookTimeout: LIMIT })
    await expect(start({ app, frontends: { main: fixture('main.mjs') } })).rejects.toMatchObject({
      reason: 'Timeout',
      message: getMessage('main'),
    })
  })

  test('make a connection fail and free its label', async () => {
    const { bus } = await startStuck({}, hook)
    for (let i = 0; i < 2; i++) {
      await expect(bus.connect('tests')).rejects.toMatchObject({ reason: 'Timeout', message: getMessage('tests') })
    }
  })
})

describe('the watchdog', () => {
  test('ignores a hook that waits for an answer to confirm', async () => {
    const onConfirm = () => new Promise<boolean>(resolve => setTimeout(resolve, 4 * LIMIT, true))
    const { bus, faults } = await startStuck({ onConfirm })
    const client = await bus.connect('tests')
    expect(await client.invoke('echo', { hook: 'confirm' })).toEqual({ answer: true })
    expect(faults).toEqual([])
  })

  test('detects a hook that hangs after the answer', async () => {
    const { bus } = await startStuck({ onConfirm: () => false })
    const client = await bus.connect('tests')
    await expect(client.invoke('echo', { hook: 'after-confirm' })).rejects.toMatchObject(disconnected)
  })

  test('ignores a hook whose promise is pending for a long time', async () => {
    const { faults, client } = await connectStuck()
    const waits = client.invoke('add', { hook: 'never' }, { timeout: 3 * LIMIT })
    await expect(waits).rejects.toMatchObject({ reason: 'Timeout', message: expect.stringMatching(/add/) as string })
    expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
    expect(faults).toEqual([])
  })

  test('ignores a hook that handles many messages for longer than the limit in total', async () => {
    const { bus, faults } = await startStuck({}, 'stuck', 1500)
    const client = await bus.connect('tests')
    // Each takes 20 ms.
    const calls = Array.from({ length: 100 }, () => client.invoke('add', { a: 1, b: 2, hook: 'busy' }))
    expect(await Promise.all(calls)).toEqual(Array(100).fill(3))
    expect(faults).toEqual([])
  })
})

describe('a hook that uses too much memory', () => {
  test('in a single call counts as hung', async () => {
    const { bus, label, faults, client } = await connectStuck()
    const other = await bus.connect('other')
    await expect(client.invoke('add', { hook: 'memory' })).rejects.toMatchObject(disconnected)
    // On a busy machine the new gate's hook can be late, too.
    await expect.poll(() => faults[0]).toMatchObject({ label, error: { message: getMessage(label) } })
    expect(await other.invoke('add', { a: 1, b: 2 })).toBe(3)
  })

  test.each([
    ['keep', '768 MiB'],
    ['keep-bytes', '2048 MiB of bytes'],
  ])('with every message is terminated with its own error (%s)', async (hook, limit) => {
    const { bus, faults } = await startStuck({}, 'stuck', 5000)
    const [client, other] = await Promise.all([bus.connect('tests'), bus.connect('other')])
    const fill = async () => {
      for (;;) await client.invoke('add', { a: 1, b: 2, hook })
    }
    await expect(fill()).rejects.toMatchObject({ reason: 'Disconnected' })
    const message = `The isolation hook of "tests" keeps more than ${limit}`
    await expect.poll(() => faults).toMatchObject([{ label: 'tests', error: { reason: 'Overloaded', message } }])
    expect(await other.invoke('add', { a: 1, b: 2 })).toBe(3)
    await waitForRestart(client)
  })

  test('restarts all gates of its thread', async () => {
    const isolation = { dir: fixture('isolation/hooks/stuck/'), hookTimeout: 5000, gates: 1 }
    const { bus, faults } = await startStuck({ app: {}, isolation, capabilities: [everyCommand] })
    const [client, other] = await Promise.all([bus.connect('tests'), bus.connect('other')])
    const fill = async () => {
      for (;;) await client.invoke('add', { a: 1, b: 2, hook: 'keep' })
    }
    await expect(fill()).rejects.toMatchObject({ reason: 'Disconnected' })
    const error = { reason: 'Overloaded', message: 'The isolation hooks of a shared gate keep more than 768 MiB' }
    const sorted = () => faults.toSorted((a, b) => a.label.localeCompare(b.label))
    await expect.poll(sorted).toMatchObject([
      { label: 'other', error },
      { label: 'tests', error },
    ])
    await waitForRestart(client)
    await waitForRestart(other)
  })
})
