// Events about frontends that start and end. No frontend can emit them.
import { expect, test } from 'vitest'
import { fixture, patterns, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

test('core, the host and other frontends get events when a frontend starts and ends', async () => {
  const bus = await start({ core: fixture('features.mjs') })
  const received: unknown[] = []
  const core: unknown[] = []
  const watcher = await bus.connect('watcher')
  // The host can still get the start of the watcher: core keeps events for a host that has just started its bus.
  const add = (who: string, name: string, payload: unknown): void => {
    if ((payload as { label: string }).label !== 'watcher') received.push([who, name, payload])
  }
  await bus.listen('core-received', ({ payload }) => void core.push(payload))
  for (const name of ['window-created', 'webview-created', 'destroyed']) {
    await bus.listen(`tauri://${name}`, ({ payload }) => add('host', name, payload))
    await watcher.listen(`tauri://${name}`, ({ payload }) => add('watcher', name, payload))
  }
  const visitor = await bus.connect('visitor')
  await visitor.close()
  const expected = ['window-created', 'webview-created', 'destroyed'].map(name => [name, { label: 'visitor' }])
  for (const who of ['host', 'watcher']) {
    await expect
      .poll(() => received.filter(entry => (entry as unknown[])[0] === who))
      .toEqual(expected.map(([name, payload]) => [who, name, payload]))
  }
  expect(core).toEqual(expect.arrayContaining(expected.map(([name, payload]) => [`tauri://${String(name)}`, payload])))
})

test.each(patterns)('core and the host get events of frontends that start with the bus: %s', async (_name, app) => {
  const capabilities = [{ identifier: 'created', windows: ['*'], permissions: ['allow-created'] }]
  const bus = await start({
    core: fixture('features.mjs'),
    frontends: { early: { module: fixture('events/exits.mjs'), loaded: false } },
    ...app,
    capabilities,
  })
  const received: unknown[] = []
  void bus.listen('tauri://window-created', ({ payload }) => void received.push(payload))
  await expect.poll(() => received).toEqual([{ label: 'early' }])
  const client = await bus.connect('tests')
  expect(await client.invoke('created')).toEqual(['early', 'tests'])
})

test('the end of a frontend reaches listeners for its label, and not those for another', async () => {
  const bus = await start({ core: fixture('features.mjs') })
  const received: string[] = []
  const [watcher, visitor] = [await bus.connect('watcher'), await bus.connect('visitor')]
  await watcher.listen('tauri://destroyed', () => void received.push('of visitor'), {
    target: { kind: 'Window', label: 'visitor' },
  })
  await watcher.listen('tauri://destroyed', () => void received.push('of another'), { target: 'another' })
  await watcher.listen('tauri://destroyed', () => void received.push('of the app'), { target: { kind: 'App' } })
  await visitor.close()
  await expect.poll(() => received).toEqual(['of visitor'])
  await watcher.invoke('count')
  expect(received).toEqual(['of visitor'])
})

test.each(choose(['none', 'process'] as const))(
  'a crash of a frontend emits the event of its end: %s',
  async sandbox => {
    const bus = await start({ core: fixture('features.mjs') })
    const destroyed: unknown[] = []
    await bus.listen('tauri://destroyed', ({ payload }) => void destroyed.push(payload))
    await bus.open('other', fixture('events/exits.mjs'), { sandbox, loaded: false })
    await expect.poll(() => destroyed).toContainEqual({ label: 'other' })
  },
)

test.each(patterns)('frontends cannot emit these events: %s', async (_name, app) => {
  const bus = await start(app)
  const [liar, other] = [await bus.connect('liar'), await bus.connect('other')]
  const received: unknown[] = []
  for (const event of [
    ...['window-created', 'webview-created', 'destroyed'].map(name => `tauri://${name}`),
    'sallyport://dropped',
  ]) {
    await other.listen(event, ({ payload }) => void received.push(payload))
    for (const command of ['emit', 'emit_to']) {
      const args = { event, target: 'other', payload: { label: 'other' } }
      await expect(liar.invoke(`plugin:event|${command}`, args)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: `The event "${event}" is reserved for core`,
      })
    }
    await liar.emit(event, { label: 'other' })
  }
  await liar.invoke('add', { a: 1, b: 1 })
  await other.invoke('add', { a: 1, b: 1 })
  expect(received).toEqual([])
  await bus.emit('tauri://destroyed', { label: 'by the host' })
  await expect.poll(() => received).toEqual([{ label: 'by the host' }])
})
