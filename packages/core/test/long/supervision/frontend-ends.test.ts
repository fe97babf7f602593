// The reason for which a frontend has ended by itself, in the call that it has not answered, in later ones, and in `exited`.
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { defineCore } from '../../../src/index.js'
import type { Bus, BusEvents, FrontendOptions } from '../../../src/index.js'
import { fixture, start } from '../../support/start.js'
import { at, eventually, patientPatterns, settle, soon, supervise, takeClock } from '../../support/supervised.js'

const module = fixture('supervision/ending.mjs')
const limits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 8 }

const ends: [how: string, why: string, cause: string | undefined, options: FrontendOptions][] = [
  ['finish', 'it exited with code 0', undefined, {}],
  ['exit', 'it exited with code 3', 'frontend "main" exited with code 3', {}],
  ['throw', 'it failed: broken on purpose', 'broken on purpose', {}],
  [
    'fill',
    'it ran out of memory',
    'frontend "main" ran out of memory',
    { sandbox: { kind: 'permission', resourceLimits: limits } },
  ],
  [
    'loop',
    'it blocked its event loop for 60000 ms',
    'frontend "main" blocked its event loop for 60000 ms',
    { supervision: { heartbeat: 60_000 } },
  ],
]

const open = async (options: FrontendOptions = {}, app = {}): Promise<{ bus: Bus; exited: BusEvents['exited'][] }> => {
  // Whose heartbeat is watched is blocked: the clock of the host does not run.
  const { bus } = await supervise({ ...app, supervision: { ...soon, heartbeat: false } })
  const exited: BusEvents['exited'][] = []
  bus.on('exited', event => exited.push(event))
  const supervision = { restart: 'temporary' as const, ...options.supervision }
  await bus.open('main', module, { sandbox: 'permission', ...options, supervision })
  return { bus, exited }
}

/** Whether the call is rejected before or after the host has freed the label is left to chance. */
const expectGone = (bus: Bus, why: string) =>
  expect
    .poll(() => bus.call('main', 'end').catch((error: Error) => error.message))
    .toBe(`There is no frontend "main": ${why}`)

test.each(patientPatterns)('how a frontend ends is the reason for which calls are rejected: %s', async (_name, app) => {
  takeClock('polls of heartbeats')
  await rows(ends)(async (how, why, cause, options) => {
    const { bus, exited } = await open(options, app)
    const call = bus.call('main', 'end', { how })
    await settle(call)
    await expect(call).rejects.toMatchObject({
      reason: 'Disconnected',
      message: `The frontend "main" disconnected: ${why}`,
      data: { delivered: 'unknown' },
      ...(cause !== undefined && { cause: { message: cause } }),
    })
    await expectGone(bus, why)
    const code = { finish: 0, exit: 3, throw: 1, fill: 1 }[how]
    await expect.poll(() => exited).toEqual([{ label: 'main', code, reason: cause ?? 'exited with code 0' }])
  })
})

test('how a process ends is the reason, too', () =>
  rows(ends.slice(0, 3))(async (how, why, cause) => {
    const { bus, exited } = await open({ sandbox: 'process' })
    const rejection = { message: `The frontend "main" disconnected: ${why}` }
    await expect(bus.call('main', 'end', { how })).rejects.toMatchObject(rejection)
    await expect.poll(() => exited).toMatchObject([{ label: 'main', reason: cause ?? 'exited with code 0' }])
  }))

test('a call by core names the reason, and has the error as its cause', async () => {
  const core = defineCore({
    commands: {
      relay: (_args, { app }) =>
        app
          .call('main', 'end', { how: 'throw' })
          .catch((error: Error) => [error.message, (error.cause as Error).message]),
    },
  })
  const bus = await start({ core, frontends: { main: { module, supervision: { restart: 'temporary' } } } })
  const client = await bus.connect('tests')
  expect(await client.invoke('relay')).toEqual([
    'The frontend "main" disconnected: it failed: broken on purpose',
    'broken on purpose',
  ])
})

test('a call of a frontend that restarts names the reason', async () => {
  const { bus } = await supervise({ frontends: { main: module } })
  await expect(bus.call('main', 'end', { how: 'throw' })).rejects.toMatchObject({
    message: 'The frontend "main" disconnected: it failed: broken on purpose',
    cause: { message: 'broken on purpose' },
  })
})

test('a call while a frontend waits to restart says so, until the host closes it', async () => {
  const delay = { min: 600_000, max: 600_000 }
  const { bus } = await supervise({ frontends: { main: module }, supervision: { delay } })
  bus.call('main', 'end', { how: 'throw' }).catch(() => {})
  const getError = () => bus.call('main', 'calls').catch((error: unknown) => error)
  await expect.poll(getError).toMatchObject({
    reason: 'Disconnected',
    message: 'The frontend "main" is restarting, call it again later: it failed: broken on purpose',
    data: { delivered: 'no' },
    cause: { message: 'broken on purpose' },
  })
  await bus.closeFrontend('main')
  await expect.poll(getError).toMatchObject({ message: 'There is no frontend "main"' })
})

test('a call to a frontend that has failed does not say that it restarts', async () => {
  const { bus } = await supervise({ frontends: { main: module }, supervision: { intensity: 0 } })
  bus.call('main', 'end', { how: 'throw' }).catch(() => {})
  await expectGone(bus, 'it failed: broken on purpose')
})

test('statistics keep the last state of a frontend that has ended until its label is used again', async () => {
  const { bus, exited } = await open({}, patientPatterns.at(-1)![1])
  bus.call('main', 'end', { how: 'finish' }).catch(() => {})
  await expect.poll(() => exited.length).toBe(1)
  expect((await bus.stats()).frontends['main']).toMatchObject({ state: 'stopped', gate: { state: 'stopped' } })
  await eventually(() => bus.open('main', module))
  expect((await bus.stats()).frontends['main']).toMatchObject({ state: 'running', gate: { state: 'running' } })
  await bus.closeFrontend('main')
  expect((await bus.stats()).frontends).toEqual({})
})

test('a frontend that the host closes is not reported', async () => {
  const { bus, exited } = await open()
  const waiting = bus.call('main', 'end', { how: 'never' })
  waiting.catch(() => {})
  await expect.poll(() => bus.call('main', 'calls')).toBe(1)
  await bus.closeFrontend('main')
  await expect(waiting).rejects.toMatchObject({ message: 'The frontend "main" disconnected' })
  await bus.open('other', at(''))
  await bus.close()
  expect(exited).toEqual([])
})
