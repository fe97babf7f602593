// Core that is not started again: the bus has failed, every call settles, and the host is told.
import { expect, test } from 'vitest'
import type { BusError } from '../src/index.js'
import { patterns, start } from './start.js'

const at = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

const crash = at(`export default { commands: {
  ok: () => 1,
  crash: () => { setTimeout(() => { throw new Error('late') }); return new Promise(() => {}) } } }`)

test('core that is not started again: the bus has failed, every call settles, and the host is told', async () => {
  const bus = await start({ core: { module: crash, supervision: { restart: 'temporary' } } })
  const fault = new Promise(resolve => bus.on('fault', resolve))
  const [one, two] = [await bus.connect('one'), await bus.connect('two')]
  const calls = [one.invoke('crash'), two.invoke('ok'), two.invoke('crash')]
  expect(await Promise.allSettled(calls)).toMatchObject([
    { reason: { reason: 'Disconnected' } },
    {},
    { reason: { reason: 'Disconnected' } },
  ])
  expect(await fault).toMatchObject({ label: 'core', error: { message: 'late' } })
  await expect(bus.connect('three')).rejects.toMatchObject({ message: 'The bus is failed' })
  // An event is fire and forget: the host's own link may hear of the end a moment later.
  await expect.poll(() => bus.emit('x').catch((error: BusError) => error.reason)).toBe('Disconnected')
})

test.each(patterns)('core that exits with code 0, and is not started again, has failed too: %s', async (_name, app) => {
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
