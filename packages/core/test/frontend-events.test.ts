// What is told of frontends as they come and go, and by whom.
import { expect, test } from 'vitest'
import { fixture, patterns, start } from './start.js'

test('those that come and go are told of: to core, the host, and the others', async () => {
  const bus = await start({ core: fixture('features.mjs') })
  const heard: unknown[] = []
  const core: unknown[] = []
  const watcher = await bus.connect('watcher')
  await bus.listen('core-heard', ({ payload }) => void core.push(payload))
  for (const name of ['window-created', 'webview-created', 'destroyed']) {
    await bus.listen(`tauri://${name}`, ({ payload }) => void heard.push(['host', name, payload]))
    await watcher.listen(`tauri://${name}`, ({ payload }) => void heard.push(['watcher', name, payload]))
  }
  const guest = await bus.connect('guest')
  await guest.close()
  const told = ['window-created', 'webview-created', 'destroyed'].map(name => [name, { label: 'guest' }])
  for (const who of ['host', 'watcher']) {
    await expect
      .poll(() => heard.filter(entry => (entry as unknown[])[0] === who))
      .toEqual(told.map(([name, payload]) => [who, name, payload]))
  }
  expect(core).toEqual(expect.arrayContaining(told.map(([name, payload]) => [`tauri://${String(name)}`, payload])))
})

test.each(patterns)('core and the host are told of those that start with the bus: %s', async (_name, app) => {
  const capabilities = [{ identifier: 'told', windows: ['*'], permissions: ['allow-told'] }]
  const bus = await start({
    core: fixture('features.mjs'),
    frontends: { early: fixture('exits.mjs') },
    app: { security: { ...app.security, capabilities } },
  })
  const heard: unknown[] = []
  void bus.listen('tauri://window-created', ({ payload }) => void heard.push(payload))
  await expect.poll(() => heard).toEqual([{ label: 'early' }])
  const client = await bus.connect('tests')
  expect(await client.invoke('told')).toEqual(['early', 'tests'])
})

test('an end is told to whoever listens to that label, and to nobody who listens to another', async () => {
  const bus = await start({ core: fixture('features.mjs') })
  const heard: string[] = []
  const [watcher, guest] = [await bus.connect('watcher'), await bus.connect('guest')]
  await watcher.listen('tauri://destroyed', () => void heard.push('of guest'), {
    target: { kind: 'Window', label: 'guest' },
  })
  await watcher.listen('tauri://destroyed', () => void heard.push('of another'), { target: 'another' })
  await watcher.listen('tauri://destroyed', () => void heard.push('of the app'), { target: { kind: 'App' } })
  await guest.close()
  await expect.poll(() => heard).toEqual(['of guest'])
  await watcher.invoke('count')
  expect(heard).toEqual(['of guest'])
})

test.each(['none', 'process'] as const)('the death of a frontend is an end: %s', async sandbox => {
  const bus = await start({ core: fixture('features.mjs') })
  const gone: unknown[] = []
  await bus.listen('tauri://destroyed', ({ payload }) => void gone.push(payload))
  await bus.open('other', fixture('exits.mjs'), { sandbox })
  await expect.poll(() => gone).toContainEqual({ label: 'other' })
})

test.each(patterns)('no frontend emits them: %s', async (_name, app) => {
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
