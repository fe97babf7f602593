// Core that does not restart: the bus fails, every call settles, and the host gets an event.
import { expect, test } from 'vitest'
import type { BusError } from '../src/index.js'
import { patterns, start } from './start.js'

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
    app: { security: { ...app.security, capabilities: [] } },
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
