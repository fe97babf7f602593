// Deaths of core that a frontend causes: the frontend is not restarted, and core's restarts stay unused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import type { Bus, BusOptions } from '../../../src/index.js'
import { fixture, next } from '../../support/start.js'
import { endCore, eventually, patientPatterns, type ReportedEvent, soon, supervise } from '../../support/supervised.js'

const evil = new URL('../hostile/port-attacks.mjs', import.meta.url)
const core = (options: object) => ({
  module: fixture('supervision/reborn.mjs'),
  supervision: { ...soon, intensity: 0, ...options },
})

/** Opens a hostile frontend. Returns a function that lets it attack. */
async function openEvil(
  bus: Bus,
  label: string,
): Promise<(args: { name: string; exits?: boolean; blocks?: boolean; until?: string }) => Promise<unknown>> {
  const ready = next(bus, 'ready-to-attack')
  // Code without a sandbox can still have a port to core.
  await bus.open(label, evil, { sandbox: 'none', link: 'port' })
  await ready
  return args => bus.call(label, 'attack', args).catch(() => {})
}

const STREAMS = ['ReadableStream', 'WritableStream', 'TransformStream']
const REASON =
  /^frontend "evil" will not be restarted: core failed right after it had violated the protocol or exited\. /

const named = (events: ReportedEvent[], name: ReportedEvent['name']) => events.filter(event => event.name === name)

/** Stops the clock of the host: a frontend that has ended stays suspect until core has ended, however busy the machine is. */
const stopClock = (): void => void vi.useFakeTimers({ toFake: ['performance'] })
afterEach(() => void vi.useRealTimers())

/** Lets a frontend end core, and expects that core restarts without it. Returns the events. */
async function endCoreBy(
  app: NonNullable<BusOptions['app']>,
  args: { name: string; exits?: boolean },
): Promise<ReportedEvent[]> {
  stopClock()
  const { bus, events } = await supervise({ app, core: core({}) })
  const client = await bus.connect('tests')
  const before = await client.invoke('which')
  const attack = await openEvil(bus, 'evil')
  await attack(args)
  // The attack can end the gate first, and then not reach core: the frontend that restarts attacks again.
  const isCoreEnded = (): boolean => named(events, 'restart').some(({ label }) => label === 'core')
  await expect.poll(async () => isCoreEnded() || (await attack(args), isCoreEnded())).toBe(true)
  expect(await eventually(() => client.invoke('which'))).not.toBe(before)
  await expect(bus.call('evil', 'attack')).rejects.toThrow('There is no frontend "evil"')
  const faults = named(events, 'fault').filter(({ error }) => REASON.test(error.message))
  expect(faults.map(({ label }) => label)).toEqual(['evil'])
  return events
}

test.each(patientPatterns)('a frontend that ends core is not restarted, and core is: %s', (_pattern, app) =>
  rows(STREAMS)(async name => {
    const events = await endCoreBy(app, { name })
    const failed = named(events, 'failed').filter(({ worker }) => worker !== 'gate')
    expect(failed).toMatchObject([{ label: 'evil', error: { message: REASON } }])
  }),
)

test('a frontend that ends together with core is not restarted', async () => {
  await endCoreBy({}, { name: 'ReadableStream', exits: true })
})

test('a frontend that exits while core is busy is not restarted when core has read its attack', async () => {
  stopClock()
  const { bus, events } = await supervise({ core: core({ heartbeat: false }) })
  const client = await bus.connect('tests')
  const before = await client.invoke('which')
  const attack = await openEvil(bus, 'evil')
  const directory = mkdtempSync(join(tmpdir(), 'charge-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const until = join(directory, 'exited')
  // An hour passes between the exit and the violation.
  bus.on('restart', () => {
    vi.advanceTimersByTime(3_600_000)
    writeFileSync(until, '')
  })
  await attack({ name: 'ReadableStream', until })
  await expect.poll(() => named(events, 'failed').map(({ label }) => label)).toEqual(['evil'])
  expect(named(events, 'restart').map(({ label }) => label)).toEqual(['evil', 'core'])
  expect(await eventually(() => client.invoke('which'))).not.toBe(before)
})

test('core keeps running after a protocol violation', () =>
  rows(['FileHandle', 'Blob', 'deserializeInfo'])(async name => {
    const { bus, events } = await supervise({ core: core({}) })
    const client = await bus.connect('tests')
    const before = await client.invoke('which')
    const attack = await openEvil(bus, 'evil')
    await attack({ name })
    await expect.poll(() => named(events, 'fault').map(({ label }) => label)).toContain('evil')
    expect(await client.invoke('which')).toBe(before)
    expect(named(events, 'failed')).toEqual([])
  }))

test("an error of the application counts as core's own, even just after a call of a frontend", async () => {
  const { bus, events } = await supervise({ core: core({}) })
  const client = await bus.connect('tests')
  // A Blob violates the protocol, and does no harm.
  const attack = await openEvil(bus, 'evil')
  await attack({ name: 'Blob' })
  await endCore(client)
  await client.closed
  expect(named(events, 'failed')).toMatchObject([{ label: 'core', error: { message: 'core crashed' } }])
})

test("a failure with two suspects counts as core's own", async () => {
  stopClock()
  const { bus, events } = await supervise({ core: core({}) })
  const client = await bus.connect('tests')
  const first = await openEvil(bus, 'first')
  const second = await openEvil(bus, 'second')
  // A frontend that is to end is suspect until it has ended: this one has to be terminated.
  void first({ name: 'Blob', blocks: true })
  await expect.poll(() => named(events, 'fault').map(({ label }) => label)).toContain('first')
  await second({ name: 'ReadableStream' })
  await client.closed
  expect(named(events, 'failed').map(({ label }) => label)).toContain('core')
})

test('charged restarts beyond their limit count as those of core', async () => {
  stopClock()
  const { bus, events } = await supervise({ core: core({ chargedIntensity: 2 }) })
  const client = await bus.connect('tests')
  for (const label of ['a', 'b', 'c']) {
    await eventually(() => client.invoke('which'))
    const attack = await openEvil(bus, label)
    await attack({ name: 'ReadableStream' })
    await expect.poll(() => named(events, 'failed').map(failed => failed.label)).toContain(label)
  }
  await client.closed
  expect(named(events, 'failed').map(({ label }) => label)).toEqual(['a', 'b', 'c', 'core'])
  expect(named(events, 'restart').filter(({ label }) => label === 'core')).toHaveLength(2)
})
