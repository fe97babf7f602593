// Core that does not start, or does not restart: the bus fails, every call settles, and the host gets an event.
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import type { BusError } from '../../../src/index.js'
import { patterns, start } from '../../support/start.js'
import { settle, takeClock } from '../../support/supervised.js'

const at = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

const crash = at(`export default { commands: {
  ok: () => 1,
  crash: () => { setTimeout(() => { throw new Error('late') }); return new Promise(() => {}) } } }`)

test('fails the bus, settles every call and emits a fault when core crashes without a restart', async () => {
  const bus = await start({ core: { module: crash, supervision: { restart: 'temporary' } } })
  const fault = new Promise(resolve => bus.on('fault', resolve))
  const [first, second] = [await bus.connect('one'), await bus.connect('two')]
  const calls = [first.invoke('crash'), second.invoke('ok'), second.invoke('crash')]
  expect(await Promise.allSettled(calls)).toMatchObject([
    { reason: { reason: 'Disconnected' } },
    {},
    { reason: { reason: 'Disconnected' } },
  ])
  expect(await fault).toMatchObject({ label: 'core', error: { message: 'late' } })
  await expect(bus.connect('three')).rejects.toMatchObject({ message: 'The bus is failed' })
  // The host's own link can observe the exit a moment later.
  await expect.poll(() => bus.emit('x').catch((error: BusError) => error.reason)).toBe('Disconnected')
})

test.each(patterns)('fails the bus when core exits with code 0 without a restart: %s', async (_name, app) => {
  const bus = await start({
    ...app,
    capabilities: [],
    core: {
      module: at('export default { setup(app) { app.listen("quit", () => process.exit(0)) } }'),
      supervision: { restart: 'transient' },
    },
  })
  const fault = new Promise(resolve => bus.on('fault', resolve))
  const [client] = [await bus.connect('one'), await bus.emit('quit')]
  expect(await fault).toMatchObject({ label: 'core', error: { message: 'core exited unexpectedly' } })
  await expect(client.invoke('x')).rejects.toMatchObject({ reason: 'Disconnected' })
  await expect(bus.connect('two')).rejects.toMatchObject({ reason: 'Disconnected' })
})

/** Threads beat in real time. */
const supervision = { heartbeat: false } as const

describe('a core that never starts', () => {
  const endless = at('await new Promise(() => {}); export default {}')
  const cores = [
    ['a top-level await', endless, endless.href],
    ['a setup', { setup: () => new Promise<void>(() => {}) }, 'a definition'],
  ] as const

  test('is logged, and rejects createBus after `startTimeout`', () =>
    rows(cores)(async (_name, module, named) => {
      takeClock()
      const lines: { msg: string }[] = []
      const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]) })
      const starting = start({ core: module, startTimeout: 600_000, supervision, log })
      await settle(starting)
      await expect(starting).rejects.toMatchObject({
        reason: 'Timeout',
        message: `The bus did not start within 600000 ms: core is still starting: ${named}`,
      })
      const msg = 'Core is still starting: its module awaits at the top level, or a setup has not returned'
      // On a busy machine its end can be a line, too.
      const found = lines.filter(line => line.msg === msg)
      expect(found).toMatchObject([{ level: 40, module: named, ms: 10_000 }])
    }))

  test('has limits of whole milliseconds', () =>
    rows([0, 1.5, '500', null])(async limit => {
      const rule = /Timeout must be whole milliseconds, from 1: got/
      await expect(start({ startTimeout: limit as number })).rejects.toThrow(rule)
    }))
})

test('a frontend that never loads rejects createBus after `startTimeout`', async () => {
  takeClock()
  const main = { module: at('await new Promise(() => {})'), loadTimeout: 600_000 }
  const starting = start({ frontends: { main }, startTimeout: 60_000, supervision })
  await settle(starting)
  const message = expect.stringMatching(/^The bus did not start within 60000 ms: /) as string
  await expect(starting).rejects.toMatchObject({ reason: 'Timeout', message })
})

test('a bus that starts within `startTimeout` stays', async () => {
  const bus = await start({ core: crash, startTimeout: 60_000 })
  expect(await (await bus.connect('one')).invoke('ok')).toBe(1)
})
