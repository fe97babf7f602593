// Events about frontends that start and end, and who can emit them.
import { expect, test } from 'vitest'
import { fixture, patterns, start } from './start.js'

test('core, the host and other frontends get events when a frontend starts and ends', async () => {
  const bus = await start({ core: fixture('features.mjs') })
  const heard: unknown[] = []
  const core: unknown[] = []
  const watcher = await bus.connect('watcher')
  // The host can still get the start of the watcher: core keeps events for a host that has just started its bus.
  const hear = (who: string, name: string, payload: unknown): void => {
    if ((payload as { label: string }).label !== 'watcher') heard.push([who, name, payload])
  }
  await bus.listen('core-heard', ({ payload }) => void core.push(payload))
  for (const name of ['window-created', 'webview-created', 'destroyed']) {
    await bus.listen(`tauri://${name}`, ({ payload }) => hear('host', name, payload))
    await watcher.listen(`tauri://${name}`, ({ payload }) => hear('watcher', name, payload))
  }
  const visitor = await bus.connect('visitor')
  await visitor.close()
  const expected = ['window-created', 'webview-created', 'destroyed'].map(name => [name, { label: 'visitor' }])
  for (const who of ['host', 'watcher']) {
    await expect
      .poll(() => heard.filter(entry => (entry as unknown[])[0] === who))
      .toEqual(expected.map(([name, payload]) => [who, name, payload]))
  }
  expect(core).toEqual(expect.arrayContaining(expected.map(([name, payload]) => [`tauri://${String(name)}`, payload])))
})

test.each(patterns)('core and the host get events of frontends that start with the bus: %s', async (_name, app) => {
  const capabilities = [{ identifier: 'created', windows: ['*'], permissions: ['allow-created'] }]
  const bus = await start({
    core: fixture('features.mjs'),
    frontends: { early: { module: fixture('exits.mjs'), loaded: false } },
    app: { security: { ...app.security, capabilities } },
  })
  const heard: unknown[] = []
  void bus.listen('tauri://window-created', ({ payload }) => void heard.push(payload))
  await expect.poll(() => heard).toEqual([{ label: 'early' }])
  const client = await bus.connect('tests')
  expect(await client.invoke('created')).toEqual(['early', 'tests'])
})

test('the end of a frontend reaches listeners to its label, and not those to another', async () => {
  const bus = await start({ core: fixture('features.mjs') })
  const heard: string[] = []
  const [watcher, visitor] = [await bus.connect('watcher'), await bus.connect('visitor')]
  await watcher.listen('tauri://destroyed', () => void heard.push('of visitor'), {
    target: { kind: 'Window', label: 'visitor' },
  })
  await watcher.listen('tauri://destroyed', () => void heard.push('of another'), { target: 'another' })
  await watcher.listen('tauri://destroyed', () => void heard.push('of the app'), { target: { kind: 'App' } })
  await visitor.close()
  await expect.poll(() => heard).toEqual(['of visitor'])
  await watcher.invoke('count')
  expect(heard).toEqual(['of visitor'])
})

test.each(['none', 'process'] as const)('the crash of a frontend is its end: %s', async sandbox => {
  const bus = await start({ core: fixture('features.mjs') })
  const destroyed: unknown[] = []
  await bus.listen('tauri://destroyed', ({ payload }) => void destroyed.push(payload))
  await bus.open('other', fixture('exits.mjs'), { sandbox, loaded: false })
  await expect.poll(() => destroyed).toContainEqual({ label: 'other' })
})

test.each(patterns)('no frontend can emit them: %s', async (_name, app) => {
  const bus = await start({ app })
  const [liar, other] = [await bus.connect('liar'), await bus.connect('other')]
  const heard: unknown[] = []
  for (const name of ['window-created', 'webview-created', 'destroyed']) {
    const event = `tauri://${name}`
    await other.listen(event, ({ payload }) => void heard.push(payload))
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
  expect(heard).toEqual([])
  await bus.emit('tauri://destroyed', { label: 'by the host' })
  await expect.poll(() => heard).toEqual([{ label: 'by the host' }])
})
