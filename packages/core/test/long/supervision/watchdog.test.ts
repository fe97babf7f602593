// Hooks that never return or use too much memory, in real gates: each gate restarts, and other frontends are not affected. The host's watchdogs
// poll only when a test says so: what hangs is found at once, and what does not is never taken for it, however busy the machine is.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { choose, rows } from '../../../../../scripts/testing.js'
import type { BusOptions, Client } from '../../../src/index.js'
import { everyCommand, fixture, isolation, next, start } from '../../support/start.js'
import { disconnected, settle } from '../../support/supervised.js'

const LIMIT = 60_000
/** The watchdog counts four polls without a change. */
const poll = (): void => void vi.advanceTimersByTime(LIMIT / 4)

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

interface Fault {
  label: string
  error: Error
}

const startStuck = async (options: Partial<BusOptions> = {}, hook = 'stuck') => {
  const supervision = { heartbeat: false, delay: { min: 1, max: 1 }, intensity: 1000, ...options.supervision } as const
  const bus = await start({ ...isolation(hook), ...options, supervision })
  const faults: Fault[] = []
  bus.on('fault', fault => void faults.push(fault))
  return { bus, faults }
}

const getMessage = (label: string): string => `The isolation hook of "${label}" did not return within ${LIMIT} ms`
/** Polls until a hang has been found. */
const find = (faults: Fault[]) =>
  expect.poll(() => (faults.length === 0 && poll(), faults.map(({ label, error }) => `${label}: ${error.message}`)))
const getFound = (label: string): string[] => [`${label}: ${getMessage(label)}`]
/** Waits until the gate has restarted. */
const waitForRestart = (client: Client) =>
  expect.poll(() => client.invoke('add', { a: 1, b: 2 }).catch(() => undefined)).toBe(3)

/** A ring can change when a hook runs, and which messages were forwarded by then. faults/gates.test.ts has a loop over a ring. */
test('restarts the gate of a hook that does not return', { timeout: 300_000 }, async () => {
  const { bus, faults } = await startStuck({ onConfirm: () => true })
  const hangs = ['spin', 'spin-in-promise', 'spin-behind', 'promises', 'regex', 'getter', 'thenable', 'question']
  await rows(hangs)(async hook => {
    faults.length = 0
    const label = hook
    const client = await bus.connect(label)
    const results = Promise.allSettled([client.invoke('add', { hook }), client.invoke('add', { a: 1, b: 2 })])
    await find(faults).toEqual(getFound(label))
    // A message that passed before the hook hung in a promise is still answered.
    const isAnswered = hook === 'spin-behind' || hook === 'promises'
    const rejected = { status: 'rejected', reason: disconnected('unknown') }
    expect(await results).toMatchObject(isAnswered ? [{}, {}] : [rejected, rejected])
    await waitForRestart(client)
    expect(faults).toHaveLength(1)
  })
})

test('detects a hang after a hundred messages that took longer together, and serves calls of others meanwhile', async () => {
  const { bus, faults } = await startStuck()
  const [hung, busy] = await Promise.all([bus.connect('one'), bus.connect('two')])
  for (let i = 0; i < 100; i++) {
    expect(await hung.invoke('add', { a: i, b: 1 })).toBe(i + 1)
    poll()
  }
  expect(faults).toEqual([])
  const spinning = hung.invoke('add', { hook: 'spin' })
  spinning.catch(() => {})
  for (let i = 0; i < 100; i++) expect(await busy.invoke('add', { a: 1, b: 2 })).toBe(3)
  await find(faults).toEqual(getFound('one'))
  await expect(spinning).rejects.toMatchObject(disconnected('unknown'))
  expect(await busy.invoke('add', { a: 1, b: 2 })).toBe(3)
  expect(faults).toHaveLength(1)
})

test.each(choose(['none', 'process'] as const))(
  'a frontend ends with a gate that does not restart, with sandbox %s',
  async sandbox => {
    const { bus, faults } = await startStuck({ supervision: { restart: 'temporary' } })
    const destroyed = next(bus, 'tauri://destroyed')
    const source = `import { invoke } from '${import.meta.resolve('@sallyport/frontend')}'
    await invoke('add', { hook: 'spin' })`
    await bus.open('bad', new URL(`data:text/javascript,${encodeURIComponent(source)}`), { sandbox, loaded: false })
    await find(faults).toEqual(getFound('bad'))
    expect(await destroyed).toEqual({ label: 'bad' })
    await bus.closeFrontend('bad')
    await expect.poll(async () => Object.keys((await bus.stats()).frontends)).toEqual([])
  },
)

test('hook scripts that never finish loading make the start of the bus fail, and a connection, whose label is free', () =>
  rows(['stuck-at-load', 'stuck-after-load'])(async hook => {
    const { bus } = await startStuck({}, hook)
    const open = [
      () => bus.connect('tests'),
      () => bus.connect('tests'),
      () => startStuck({ frontends: { tests: fixture('main.mjs') } }, hook),
    ]
    for (const each of open) {
      const opened = each()
      await settle(opened)
      await expect(opened).rejects.toMatchObject({ reason: 'Timeout', message: getMessage('tests') })
    }
  }))

test('the watchdog ignores a hook that waits for an answer or a promise, and detects one that hangs afterwards', async () => {
  let answer!: (isConfirmed: boolean) => void
  const asked: string[] = []
  const onConfirm = (text: string): Promise<boolean> => {
    asked.push(text)
    return new Promise(resolve => (answer = resolve))
  }
  const { bus, faults } = await startStuck({ onConfirm })
  const [client, other] = await Promise.all([bus.connect('tests'), bus.connect('other')])
  const confirmed = client.invoke('echo', { hook: 'confirm' })
  await expect.poll(() => asked.length).toBe(1)
  for (let i = 0; i < 20; i++) poll()
  answer(true)
  expect(await confirmed).toEqual({ answer: true })

  const caller = new AbortController()
  const never = client.invoke('add', { hook: 'never' }, { signal: caller.signal })
  never.catch(() => {})
  for (let i = 0; i < 20; i++) {
    await other.invoke('add', { a: 1, b: 2 })
    poll()
  }
  caller.abort()
  await expect(never).rejects.toThrow('was cancelled')
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  expect(faults).toEqual([])

  const hangs = client.invoke('echo', { hook: 'after-confirm' })
  hangs.catch(() => {})
  await expect.poll(() => asked.length).toBe(2)
  answer(false)
  await find(faults).toEqual(getFound('tests'))
  await expect(hangs).rejects.toMatchObject(disconnected('unknown'))
})

describe('a hook that uses too much memory', () => {
  const fill = async (client: Client, hook: string): Promise<void> => {
    for (;;) await client.invoke('add', { a: 1, b: 2, hook })
  }

  test('in a single call counts as hung, and with every message is terminated with its own error', async () => {
    const { bus, faults } = await startStuck()
    const [client, other] = await Promise.all([bus.connect('tests'), bus.connect('other')])
    const hangs = client.invoke('add', { hook: 'memory' })
    hangs.catch(() => {})
    await find(faults).toEqual(getFound('tests'))
    await expect(hangs).rejects.toMatchObject(disconnected('unknown'))
    await rows({ keep: '768 MiB', 'keep-bytes': '2048 MiB of bytes' })(async (limit, hook) => {
      await waitForRestart(client)
      faults.length = 0
      await expect(fill(client, hook)).rejects.toMatchObject({ reason: 'Disconnected' })
      const message = `The isolation hook of "tests" keeps more than ${limit}`
      await expect.poll(() => faults).toMatchObject([{ label: 'tests', error: { reason: 'Overloaded', message } }])
      expect(await other.invoke('add', { a: 1, b: 2 })).toBe(3)
    })
    await waitForRestart(client)
  })

  test('restarts all gates of its thread', async () => {
    const shared = { dir: fixture('isolation/hooks/stuck/'), hookTimeout: LIMIT, gates: 1 }
    const { bus, faults } = await startStuck({ isolation: shared, capabilities: [everyCommand] })
    const [client, other] = await Promise.all([bus.connect('tests'), bus.connect('other')])
    await expect(fill(client, 'keep')).rejects.toMatchObject({ reason: 'Disconnected' })
    const keep = 'The isolation hooks of a shared gate keep more than 768 MiB'
    const fault = (label: string) => {
      const message = `${keep}. The thread that gate "${label}" shared was terminated`
      return { label, error: { reason: 'Overloaded', message } }
    }
    const sorted = () => faults.toSorted((a, b) => a.label.localeCompare(b.label))
    await expect.poll(sorted).toMatchObject([fault('other'), fault('tests')])
    await waitForRestart(client)
    await waitForRestart(other)
  })
})
