// Events in both directions, over both patterns: who hears what, in what order, and what takes a listener away.
import { describe, expect, test } from 'vitest'
import type { Client } from '../src/index.js'
import { fixture, next, patterns, start } from './start.js'

/** Whatever was sent before has arrived once this has been answered: each link keeps its order. */
const settle = (client: Client): Promise<unknown> => client.invoke('add', { a: 1, b: 1 })

describe.each(patterns)('events: %s', (_name, app) => {
  test('frontend → core → frontend, in order', async () => {
    const client = await (await start({ app })).connect('one')
    const heard: unknown[] = []
    await client.listen('backend-event', ({ payload }) => void heard.push(payload))
    for (let i = 0; i < 100; i++) await client.emit('frontend-event', i)
    await settle(client)
    expect(heard).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('an emit reaches every listener: host, frontends, the sender itself', async () => {
    const bus = await start({ app })
    const [one, two] = [await bus.connect('one'), await bus.connect('two')]
    const heard: string[] = []
    await bus.listen('news', ({ payload }) => void heard.push(`host ${String(payload)}`))
    await one.listen('news', event => void heard.push(`one ${event.event} ${String(event.payload)} ${event.id}`))
    await two.listen('news', () => void heard.push('two'))
    await one.emit('news', 'hello')
    await expect.poll(() => heard).toHaveLength(3)
    expect(heard).toEqual(expect.arrayContaining(['host hello', 'two', expect.stringMatching(/^one news hello \d+$/)]))
  })

  test('from the host, and with bytes as payload', async () => {
    const bus = await start({ app })
    const client = await bus.connect('one')
    const heard: unknown[] = []
    await client.listen('from-host', ({ payload }) => void heard.push(payload))
    await bus.emit('from-host', { a: 1 })
    await bus.emit('from-host', new Uint8Array([1, 2]))
    await bus.emit('from-host')
    await bus.emitTo('one', 'from-host', 'to one')
    await bus.emitTo('two', 'from-host', 'to two')
    await bus.listen('sync', () => {})
    await settle(client)
    expect(heard).toEqual([{ a: 1 }, new Uint8Array([1, 2]), null, 'to one'])
  })

  test('what is addressed to one label is not heard by another', async () => {
    const bus = await start({ app })
    const [one, two] = [await bus.connect('one'), await bus.connect('two')]
    const heard: string[] = []
    await one.listen('for-one', () => void heard.push('one'))
    await two.listen('for-one', () => void heard.push('two, any'))
    await two.listen('for-one', () => void heard.push('two, as one'), { target: 'one' })
    await two.emit('to-one', { label: 'one', text: 'hush' })
    await settle(two)
    await settle(one)
    await settle(two)
    expect(heard).toEqual(['one'])
  })

  test('emitFilter asks for a frontend by its own label', async () => {
    const bus = await start({ app })
    const [one, two] = [await bus.connect('one'), await bus.connect('two')]
    const heard: string[] = []
    await one.listen('filtered', () => void heard.push('one'))
    await two.listen('filtered', () => void heard.push('two, any'))
    await two.listen('filtered', () => void heard.push('two, as one'), { target: 'one' })
    await two.emit('to-filtered', 'one')
    await settle(two)
    await settle(one)
    await settle(two)
    expect(heard).toEqual(['one'])
  })

  test('what was emitted before the bus closes is heard in core', async () => {
    const bus = await start({ app: {}, core: fixture('heard.mjs') })
    const heard: unknown[] = []
    await bus.listen('heard', ({ payload }) => void heard.push(payload))
    const client = await bus.connect('one')
    await client.emit('note', 'of a client')
    await bus.emit('note', 'of the host')
    const call = client.invoke('save')
    await bus.close()
    expect(await call).toBe('saved')
    expect(new Set(heard)).toEqual(new Set(['of a client', 'of the host']))
  })

  test('once hears one, unlisten ends it, and nobody can end another’s', async () => {
    const bus = await start({ app })
    const [one, two] = [await bus.connect('one'), await bus.connect('two')]
    const heard: string[] = []
    await one.once('tick', () => void heard.push('once'))
    let id = -1
    const unlisten = await one.listen('tick', event => {
      id = event.id
      heard.push('listen')
    })
    await one.emit('tick')
    await settle(one)
    await two.invoke('plugin:event|unlisten', { event: 'tick', eventId: id })
    await one.emit('tick')
    await settle(one)
    unlisten()
    unlisten()
    await one.emit('tick')
    await settle(one)
    expect(heard).toEqual(['once', 'listen', 'listen'])
  })

  test('names follow Tauri’s rule', async () => {
    const bus = await start({ app })
    const client = await bus.connect('one')
    await expect(client.emit('no spaces')).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(client.listen('no.dots', () => {})).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(bus.emit('a\nb')).rejects.toMatchObject({ reason: 'InvalidParams' })
    const rule = 'Event name must include only alphanumeric characters, `-`, `/`, `:` and `_`.'
    for (const name of ['listen', 'emit', 'emit_to']) {
      const args = { event: 'a b', target: 'one' }
      await expect(client.invoke(`plugin:event|${name}`, args)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: `invalid args \`event\` for command \`${name}\`: ${rule}`,
      })
    }
    await expect(client.invoke('plugin:event|listen', {})).rejects.toMatchObject({
      message: 'invalid args `event` for command `listen`: command listen missing required key event',
    })
    await expect(client.invoke('plugin:event|emit_to', { event: 'a', target: 5 })).rejects.toMatchObject({
      message: expect.stringMatching(/^invalid args `target` for command `emit_to`: An event target is/) as string,
    })
    await client.listen('', () => {})
    await client.listen('täst-ok/1:2_3', () => {})
  })

  test('a listener of core that throws stops nothing', async () => {
    const bus = await start({ app })
    const client = await bus.connect('one')
    await client.emit('listener-throws')
    expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
    const heard: unknown[] = []
    await client.listen('once-heard', ({ payload }) => void heard.push(payload))
    await client.emit('once-only', 1)
    await client.emit('once-only', 2)
    await settle(client)
    expect(heard).toEqual([1])
  })

  test('a host that listens at once misses nothing of a frontend', async () => {
    const bus = await start({ app, frontends: { main: fixture('main.mjs') } })
    expect(await next(bus, 'main-ready')).toEqual({ greeting: 'Hello, World!' })
  })

  test('what was emitted before a close arrives', async () => {
    const bus = await start({ app })
    const heard: unknown[] = []
    await bus.listen('farewell', ({ payload }) => void heard.push(payload))
    for (let i = 0; i < 5; i++) {
      const client = await bus.connect('leaving')
      await client.emit('farewell', i)
      await client.close()
    }
    await expect.poll(() => heard).toEqual([0, 1, 2, 3, 4])
  })

  test('bytes at the top level of a payload arrive as bytes, in both directions', async () => {
    const bus = await start({ app })
    const client = await bus.connect('one')
    const heard: unknown[] = []
    await bus.listen('up', ({ payload }) => void heard.push(payload))
    await client.listen('down', ({ payload }) => void heard.push(payload))
    await client.emit('up', { data: new Uint8Array([1]) })
    await expect.poll(() => heard).toEqual([{ data: new Uint8Array([1]) }])
    await bus.emit('down', { data: new Uint8Array([2]) })
    await expect.poll(() => heard.at(-1)).toEqual({ data: new Uint8Array([2]) })
  })

  test('a listener of core that rejects later, heard once, does not end core', async () => {
    const client = await (await start({ app })).connect('one')
    await client.emit('once-rejects')
    await settle(client)
    expect(await client.invoke('slow', { ms: 20, value: 1 })).toBe(1)
  })

  test('a frontend that has gone is not sent to', async () => {
    const bus = await start({ app })
    const [one, two] = [await bus.connect('one'), await bus.connect('two')]
    const heard: string[] = []
    await one.listen('tick', () => void heard.push('one'))
    await one.close()
    await two.emit('tick')
    await settle(two)
    expect(heard).toEqual([])
    await expect(one.emit('tick')).rejects.toMatchObject({ reason: 'Disconnected' })
  })
})
