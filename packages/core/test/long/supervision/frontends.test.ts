// `bus.frontends()`: the frontends of a host, and those that have ended by themselves.
import { expect, onTestFinished, test, vi } from 'vitest'
import { fixture, start } from '../../support/start.js'

const exposing = fixture('calls/exposing.mjs')
const core = fixture('calls/caller.mjs')

test('frontends lists workers and connections with state, sandbox, start and restarts', async () => {
  const started = 1_000_000_000_000
  vi.useFakeTimers({ toFake: ['Date'], now: started })
  onTestFinished(() => void vi.useRealTimers())
  const bus = await start({ core, frontends: { main: exposing, trusted: { module: exposing, sandbox: 'none' } } })
  await bus.connect('tests')
  const common = { state: 'running', startedAt: started, restarts: 0 }
  const listed = bus.frontends().toSorted((a, b) => a.label.localeCompare(b.label))
  expect(listed).toEqual([
    { label: 'main', sandbox: 'permission', ...common },
    { label: 'tests', sandbox: 'none', ...common },
    { label: 'trusted', sandbox: 'none', ...common },
  ])
  await bus.closeFrontend('main')
  expect(bus.frontends().map(({ label }) => label)).toEqual(['trusted', 'tests'])
})

test('a frontend that restarted has a later start, and its last error', async () => {
  const bus = await start({ core, frontends: { main: exposing } })
  const [first] = bus.frontends()
  await expect(bus.call('main', 'dies', { how: 'throw' })).rejects.toMatchObject({ reason: 'Disconnected' })
  await expect.poll(() => bus.frontends()).toMatchObject([{ state: 'running', restarts: 1 }])
  const [second] = bus.frontends()
  expect(second!.startedAt).toBeGreaterThan(first!.startedAt)
  expect(second!.error).toMatchObject({ message: 'uncaught' })
})

test('a frontend that has failed is listed with its error until its label is used again', async () => {
  const bus = await start({ core })
  const options = { allow: '*', supervision: { restart: 'temporary' } } as const
  await bus.open('main', exposing, options)
  await expect(bus.call('main', 'dies', { how: 'exit' })).rejects.toMatchObject({ reason: 'Disconnected' })
  await expect.poll(() => bus.frontends()).toMatchObject([{ label: 'main', state: 'failed', restarts: 0 }])
  expect(bus.frontends()[0]!.error).toMatchObject({ message: 'frontend "main" exited with code 3' })
  await bus.open('main', exposing, options)
  expect(bus.frontends()).toEqual([
    { label: 'main', state: 'running', sandbox: 'permission', startedAt: expect.any(Number) as number, restarts: 0 },
  ])
})

test('the last hundred frontends that ended are listed', async () => {
  const bus = await start({ core })
  const source = 'setTimeout(() => { throw new Error("it ends") })'
  const options = { sandbox: { kind: 'quickjs', group: 'short' }, supervision: { restart: 'temporary' } } as const
  for (let n = 0; n <= 100; n++) await bus.open(`script-${n}`, { source, name: 'main.js' }, options)
  const getFailed = () => bus.frontends().filter(({ state }) => state === 'failed')
  await expect.poll(() => bus.frontends().every(({ state }) => state === 'failed')).toBe(true)
  expect(getFailed()).toHaveLength(100)
  for (let n = 101; n < 111; n++) await bus.open(`script-${n}`, { source, name: 'main.js' }, options)
  const labels = () => getFailed().map(({ label }) => label)
  const latest = Array.from({ length: 10 }, (_, index) => `script-${101 + index}`)
  await expect.poll(labels).toEqual(expect.arrayContaining(latest))
  expect(labels()).toHaveLength(100)
})

test('a frontend that has finished is listed without an error, and closeFrontend forgets it', async () => {
  const bus = await start({ core })
  await bus.open('main', fixture('supervision/finishing.mjs'))
  await expect.poll(() => bus.frontends()).toMatchObject([{ label: 'main', state: 'stopped' }])
  expect(bus.frontends()[0]).not.toHaveProperty('error')
  await bus.closeFrontend('main')
  expect(bus.frontends()).toEqual([])
})

test('closeFrontend ends the opening of a label, used before or not', async () => {
  const bus = await start({ core })
  for (let round = 0; round < 2; round++) {
    const opened = bus.open('main', exposing)
    const closed = bus.closeFrontend('main')
    const message = 'Frontend "main" was closed while it was opened'
    await expect(opened).rejects.toMatchObject({ reason: 'Disconnected', message })
    await closed
    expect(bus.frontends()).toEqual([])
    await bus.open('main', exposing)
    expect(bus.frontends()).toMatchObject([{ label: 'main', state: 'running' }])
    await bus.closeFrontend('main')
  }
})

test('bus.close with a label ends nothing, and names closeFrontend', async () => {
  const bus = await start({ core, frontends: { main: exposing } })
  await expect(bus.close('main' as never)).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: 'bus.close takes { timeout }, and ends the whole bus. Use bus.closeFrontend(label) for one frontend',
  })
  expect(bus.frontends()).toMatchObject([{ state: 'running' }])
})
