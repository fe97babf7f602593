// Deaths of core that a frontend causes: the frontend is not restarted, and core's restarts stay unused.
import { describe, expect, test } from 'vitest'
import type { Bus } from '../src/index.js'
import { fixture, next } from './start.js'
import { endCore, eventually, patterns, type ReportedEvent, soon, supervise } from './supervised.js'

const evil = new URL('hostile/port-attacks.mjs', import.meta.url)
const core = (options: object) => ({
  module: fixture('reborn.mjs'),
  supervision: { ...soon, intensity: 0, ...options },
})

/** Opens a hostile frontend. Returns a function that lets it attack. */
async function openEvil(
  bus: Bus,
  label: string,
): Promise<(args: { name: string; exits?: boolean }) => Promise<unknown>> {
  const ready = next(bus, 'ready-to-attack')
  // Code without a sandbox can still have a port to core.
  await bus.open(label, evil, { sandbox: 'none', link: 'port' })
  await ready
  return args => bus.call(label, 'attack', args).catch(() => {})
}

const named = (events: ReportedEvent[], name: ReportedEvent['name']) => events.filter(event => event.name === name)

describe.each(patterns)('%s', (_name, app) => {
  test.each([
    { name: 'ReadableStream' },
    { name: 'WritableStream' },
    { name: 'TransformStream' },
    { name: 'ReadableStream', exits: true },
  ])('a frontend that ends core is not restarted, and core is: %j', async args => {
    const { bus, events } = await supervise({ app, core: core({}) })
    const client = await bus.connect('tests')
    const before = await client.invoke('which')
    const attack = await openEvil(bus, 'evil')
    await attack(args)
    await expect.poll(() => named(events, 'restart').map(({ label }) => label)).toContain('core')
    expect(await eventually(() => client.invoke('which'))).not.toBe(before)
    await expect(bus.closeFrontend('evil')).rejects.toThrow('There is no frontend "evil"')
    const reason =
      /^frontend "evil" will not be restarted: core failed right after it had violated the protocol or exited\. /
    const faults = named(events, 'fault').filter(({ error }) => reason.test(error.message))
    expect(faults.map(({ label }) => label)).toEqual(['evil'])
    const failed = named(events, 'failed').filter(({ actor }) => actor !== 'isolation')
    if (!args.exits) expect(failed).toMatchObject([{ label: 'evil', error: { message: reason } }])
  })
})

test("an error of the application counts as core's own, whatever a frontend did just before", async () => {
  const { bus, events } = await supervise({ core: core({}) })
  const client = await bus.connect('tests')
  // A Blob violates the protocol, and harms nobody.
  const attack = await openEvil(bus, 'evil')
  await attack({ name: 'Blob' })
  await endCore(client)
  await client.closed
  expect(named(events, 'failed')).toMatchObject([{ label: 'core', error: { message: 'core crashed' } }])
})

test("a failure with two suspects counts as core's own", async () => {
  const { bus, events } = await supervise({ core: core({}) })
  const client = await bus.connect('tests')
  const first = await openEvil(bus, 'first')
  const second = await openEvil(bus, 'second')
  await Promise.all([first({ name: 'Blob' }), second({ name: 'ReadableStream' })])
  await client.closed
  expect(named(events, 'failed').map(({ label }) => label)).toContain('core')
})

test('charged restarts beyond their limit count as those of core', async () => {
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
