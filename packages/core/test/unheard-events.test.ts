// In development, an event that nobody listens to is a warning, until the host listens for the first time.
import { afterEach, expect, test } from 'vitest'
import { pino, type Logger } from 'pino'
import { setDevelopment } from '@sallyport/protocol/internal'
import { type Bus, defineCore } from '../src/index.js'
import { start } from './start.js'

afterEach(() => setDevelopment(true))

const core = defineCore({
  commands: { emit: ({ event }: { event: string }, { app }) => app.emit(event) },
  setup: app => void app.listen('heard', () => {}),
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
  // Core answers this over the port of its log.
  await bus.stats()
}

test('each name is warned about once, unless somebody listens', async () => {
  const { log, getWarned } = createLog()
  const bus = await start({ core, log })
  await emit(bus, 'a', 'lost', 'heard', 'lost', 'also-lost')
  await emit(bus, 'b', 'lost')
  expect(getWarned()).toEqual(['lost', 'also-lost'])
})

test('nothing is warned about once the host has listened', async () => {
  const { log, getWarned } = createLog()
  const bus = await start({ core, log })
  const unlisten = await bus.listen('one', () => {})
  unlisten()
  await emit(bus, 'a', 'lost')
  expect(getWarned()).toEqual([])
})

test('a frontend that listens changes nothing for other names', async () => {
  const { log, getWarned } = createLog()
  const bus = await start({ core, log })
  const client = await bus.connect('listener')
  await client.listen('one', () => {})
  await emit(bus, 'a', 'one', 'lost')
  expect(getWarned()).toEqual(['lost'])
})

test('a frontend that floods with names is warned about 100 times', async () => {
  const { log, getWarned } = createLog()
  const bus = await start({ core, log })
  await emit(bus, 'a', ...Array.from({ length: 150 }, (_, i) => `name-${i}`))
  expect(getWarned()).toHaveLength(100)
})

test('nothing is warned about in production', async () => {
  setDevelopment(false)
  const { log, getWarned } = createLog()
  const bus = await start({ core, log })
  await emit(bus, 'a', 'lost')
  expect(getWarned()).toEqual([])
})
