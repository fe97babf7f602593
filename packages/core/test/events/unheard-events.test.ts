// In development, an event that nobody listens to is a warning, until the host listens for the first time.
import { afterEach, expect, test } from 'vitest'
import { pino, type Logger } from 'pino'
import { setDevelopment } from '@sallyport/protocol/internal/util'
import { Bus } from '../../src/host/bus.js'
import { defineCore, plugin } from '../../src/index.js'
import { start } from '../support/start.js'

afterEach(() => setDevelopment(true))

const core = defineCore({
  plugins: [plugin('store', {})],
  commands: { emit: ({ event }: { event: string }, { app }) => app.emit(event) },
  setup: app => void app.listen('received', () => {}),
})

function createLog(): { log: Logger; getWarned: () => unknown[] } {
  const lines: { event?: string; msg: string }[] = []
  const log = pino(
    { level: 'warn' },
    { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]) },
  )
  return { log, getWarned: () => lines.filter(({ msg }) => msg.startsWith('event lost')).map(({ event }) => event) }
}

/** Emits from core and from a frontend. The commands return after the events before them were routed. */
async function emit(bus: Bus, label: string, ...events: string[]): Promise<void> {
  const client = await bus.connect(label)
  for (const event of events) {
    await client.emit(event)
    await client.invoke('emit', { event })
  }
  await client.close()
  // Core answers this over the port of its log, unless it is busy.
  while ((await Bus.getHost(bus).core.measure()) === undefined);
}

test("the log warns about each event once, unless it has a listener or a plugin's name", async () => {
  const { log, getWarned } = createLog()
  const bus = await start({ core, log })
  await emit(bus, 'a', 'lost', 'received', 'lost', 'store://change', 'app://also-lost')
  await emit(bus, 'b', 'lost')
  expect(getWarned()).toEqual(['lost', 'app://also-lost'])
})

test('there is no warning once the host has listened', async () => {
  const { log, getWarned } = createLog()
  const bus = await start({ core, log })
  const unlisten = await bus.listen('one', () => {})
  unlisten()
  await emit(bus, 'a', 'lost')
  expect(getWarned()).toEqual([])
})

test('a listener in a frontend does not affect warnings about other events', async () => {
  const { log, getWarned } = createLog()
  const bus = await start({ core, log })
  const client = await bus.connect('listener')
  await client.listen('one', () => {})
  await emit(bus, 'a', 'one', 'lost')
  expect(getWarned()).toEqual(['lost'])
})

test('a frontend that floods with event names causes at most 100 warnings', async () => {
  const { log, getWarned } = createLog()
  const bus = await start({ core, log })
  await emit(bus, 'a', ...Array.from({ length: 150 }, (_, i) => `name-${i}`))
  expect(getWarned()).toHaveLength(100)
})

test('there is no warning in production', async () => {
  setDevelopment(false)
  const { log, getWarned } = createLog()
  const bus = await start({ core, log })
  await emit(bus, 'a', 'lost')
  expect(getWarned()).toEqual([])
})
