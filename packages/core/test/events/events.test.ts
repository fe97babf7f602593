// Events in both directions and both patterns: who receives them, in what order, and when listeners are removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBus, defineCore, type App, type Bus, type Client } from '../../src/index.js'
import { fixture, next, patterns, reuseBus, start } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

/** Resolves once everything that was sent before has arrived, because each link keeps its order. */
const settle = (client: Client): Promise<unknown> => client.invoke('add', { a: 1, b: 1 })

describe.each(patterns)('events: %s', (_name, app) => {
  let bus: Bus
  // Tests share these clients, and listen to different events.
  let first: Client
  let second: Client
  beforeAll(async () => {
    bus = await createBus({ core: fixture('core.mjs'), log: false, ...app })
    first = await bus.connect('one')
    second = await bus.connect('two')
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('arrive in order from frontend to core to frontend', async () => {
    const received: unknown[] = []
    await first.listen('backend-event', ({ payload }) => void received.push(payload))
    for (let i = 0; i < 100; i++) await first.emit('frontend-event', i)
    await settle(first)
    expect(received).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('reach every listener: host, frontends, the sender itself', async () => {
    const received: string[] = []
    await bus.listen('news', ({ payload }) => void received.push(`host ${String(payload)}`))
    await first.listen('news', event => void received.push(`one ${event.event} ${String(event.payload)} ${event.id}`))
    await second.listen('news', () => void received.push('two'))
    await first.emit('news', 'hello')
    await expect.poll(() => received).toHaveLength(3)
    expect(received).toEqual(
      expect.arrayContaining(['host hello', 'two', expect.stringMatching(/^one news hello \d+$/)]),
    )
  })

  test('arrive from the host, with bytes as payload, too', async () => {
    const received: unknown[] = []
    await first.listen('from-host', ({ payload }) => void received.push(payload))
    await bus.emit('from-host', { a: 1 })
    await bus.emit('from-host', new Uint8Array([1, 2]))
    await bus.emit('from-host')
    await bus.emitTo('one', 'from-host', 'to one')
    await bus.emitTo('two', 'from-host', 'to two')
    await bus.listen('sync', () => {})
    await settle(first)
    expect(received).toEqual([{ a: 1 }, new Uint8Array([1, 2]), null, 'to one'])
  })

  test('are kept for no later listener, and can go to a label that nobody has', async () => {
    const received: unknown[] = []
    await first.emit('later', 'before')
    await first.emitTo('nobody', 'later', 'to nobody')
    await bus.emitTo('nobody', 'later', 'to nobody')
    await settle(first)
    await second.listen('later', ({ payload }) => void received.push(payload), { target: 'two' })
    await bus.emitTo('two', 'later', 'after')
    await expect.poll(() => received).toEqual(['after'])
  })

  test('to one label do not reach another', async () => {
    const received: string[] = []
    await first.listen('for-one', () => void received.push('one'))
    await second.listen('for-one', () => void received.push('two, any'))
    await second.listen('for-one', () => void received.push('two, as one'), { target: 'one' })
    await second.emit('to-one', { label: 'one', text: 'hush' })
    await settle(second)
    await settle(first)
    await settle(second)
    expect(received).toEqual(['one'])
  })

  test('are filtered by the label of a frontend in emitFilter', async () => {
    const received: string[] = []
    await first.listen('filtered', () => void received.push('one'))
    await second.listen('filtered', () => void received.push('two, any'))
    await second.listen('filtered', () => void received.push('two, as one'), { target: 'one' })
    await second.emit('to-filtered', 'one')
    await settle(second)
    await settle(first)
    await settle(second)
    expect(received).toEqual(['one'])
  })

  test('reach core when they were emitted before the bus closes', async () => {
    const bus = await start({ core: fixture('events/received.mjs') })
    const received: unknown[] = []
    await bus.listen('received', ({ payload }) => void received.push(payload))
    const client = await bus.connect('one')
    await client.emit('note', 'of a client')
    await bus.emit('note', 'of the host')
    const call = client.invoke('save')
    // An event that core has not sent by the timeout is lost.
    await bus.close({ timeout: 60_000 })
    expect(await call).toBe('saved')
    expect(new Set(received)).toEqual(new Set(['of a client', 'of the host']))
  })

  test('reach once a single time and listen until unlisten, which works only for the own listeners', async () => {
    const received: string[] = []
    await first.once('tick', () => void received.push('once'))
    let id = -1
    const unlisten = await first.listen('tick', event => {
      id = event.id
      received.push('listen')
    })
    await first.emit('tick')
    await settle(first)
    await second.invoke('plugin:event|unlisten', { event: 'tick', eventId: id })
    await first.emit('tick')
    await settle(first)
    unlisten()
    unlisten()
    await first.emit('tick')
    await settle(first)
    expect(received).toEqual(['once', 'listen', 'listen'])
  })

  test("have names that follow Tauri's rule", async () => {
    await expect(first.emit('no spaces')).rejects.toMatchObject({ reason: 'InvalidParams' })
    expect(() => first.listen('no.dots', () => {})).toThrow('Event name must include only')
    expect(() => bus.listen('no.dots', () => {})).toThrow('Event name must include only')
    await expect(bus.emit('a\nb')).rejects.toMatchObject({ reason: 'InvalidParams' })
    const rule = 'Event name must include only alphanumeric characters, `-`, `/`, `:` and `_`.'
    for (const name of ['listen', 'emit', 'emit_to']) {
      const args = { event: 'a b', target: 'one' }
      await expect(first.invoke(`plugin:event|${name}`, args)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: `invalid args \`event\` for command \`${name}\`: ${rule}`,
      })
    }
    await expect(first.invoke('plugin:event|listen', {})).rejects.toMatchObject({
      message: 'invalid args `event` for command `listen`: command listen missing required key event',
    })
    await expect(first.invoke('plugin:event|emit_to', { event: 'a', target: 5 })).rejects.toMatchObject({
      message: expect.stringMatching(/^invalid args `target` for command `emit_to`: An event target is/) as string,
    })
    await first.listen('', () => {})
    await first.listen('täst-ok/1:2_3', () => {})
  })

  test('reach other listeners when a listener of core throws', async () => {
    await first.emit('listener-throws')
    expect(await first.invoke('add', { a: 1, b: 2 })).toBe(3)
    const received: unknown[] = []
    await first.listen('once-received', ({ payload }) => void received.push(payload))
    await first.emit('once-only', 1)
    await first.emit('once-only', 2)
    await settle(first)
    expect(received).toEqual([1])
  })

  test('all reach a host that listens right after the start', async () => {
    const bus = await start({ ...app, frontends: { main: fixture('main.mjs') } })
    expect(await next(bus, 'main-ready')).toEqual({ greeting: 'Hello, World!' })
  })

  test('arrive if they were emitted before a client closes', async () => {
    const received: unknown[] = []
    await bus.listen('farewell', ({ payload }) => void received.push(payload))
    for (let i = 0; i < 2; i++) {
      const client = await bus.connect('leaving')
      await client.emit('farewell', i)
      await client.close()
      // The events of two clients have no order, so each is awaited.
      await expect.poll(() => received.at(-1)).toBe(i)
    }
    expect(received).toEqual([0, 1])
  })

  test('do not end core when a once listener of core rejects later', async () => {
    await first.emit('once-rejects')
    await settle(first)
    expect(await first.invoke('slow', { ms: 1, value: 1 })).toBe(1)
  })

  test('are not sent to a frontend that disconnected', async () => {
    const received: string[] = []
    const gone = await bus.connect('gone')
    await gone.listen('tick', () => void received.push('gone'))
    await gone.close()
    await second.emit('tick')
    await settle(second)
    expect(received).toEqual([])
    await expect(gone.emit('tick')).rejects.toMatchObject({ reason: 'Disconnected' })
  })
})

describe("the names of the bus's own events", () => {
  const names = ['fault', 'restart', 'failed', 'exited', 'denied', 'rejected', 'slow', 'overload', 'rightsChanged']

  const getBus = reuseBus()

  test('are for bus.on only, and clients can use them for events of the application', async () => {
    const bus = await getBus()
    expect(() => bus.once('no.dots')).toThrow('Event name must include only')
    const client = await bus.connect('one')
    const remedy = 'Use bus.on to listen to it, or another name for an event of the application'
    await rows(names)(async name => {
      const message = (method: string): string => `bus.${method}: "${name}" is an event of the bus itself. ${remedy}`
      expect(() => bus.listen(name, () => {})).toThrow(message('listen'))
      expect(() => bus.once(name, () => {})).toThrow(message('once'))
      expect(() => bus.once(name)).toThrow(message('once'))
      const event = client.once(name)
      await client.emit(name, 1)
      expect(await event).toMatchObject({ event: name, payload: 1 })
    })
  })

  test('are the only ones that bus.on accepts', async () => {
    const bus = await getBus()
    const listen = (name: string) => () => bus.on(name as 'fault', () => {})
    const remedy = 'For events of the application use bus.listen'
    expect(listen('backend-event')).toThrow(`bus.on: no event "backend-event" of the bus itself. ${remedy}`)
    expect(listen('faults')).toThrow(`bus.on: no event "faults" of the bus itself (did you mean "fault"?). ${remedy}`)
  })
})

test('once without a handler waits for an event, in host, core and client, at most until its deadline', async () => {
  let core!: App
  const app = defineCore({
    setup: started => void (core = started),
    commands: {
      waits: async (args: { timeout?: number }, { app: context }) =>
        (await context.once<number>('to-core', args)).payload,
      aborts: async (_args: unknown, { app: context }) => context.once('to-core', { signal: AbortSignal.abort() }),
      wrong: (_args: unknown, { app: context }) => context.once('no name'),
    },
  })
  const bus = await start({ core: app })
  const client = await bus.connect('one')
  const inCore = client.invoke('waits')
  const [inHost, inClient] = [bus.once<number>('e', { timeout: 60_000 }), client.once<number>('e')]
  await client.invoke('waits', { timeout: 1 }).catch(({ message }: Error) => expect(message).toContain('took longer'))
  await client.emit('to-core', 1)
  await bus.listen('later', () => {})
  await client.emit('e', 2)
  expect([await inCore, (await inHost).payload, (await inClient).payload]).toEqual([1, 2, 2])
  await expect(client.invoke('aborts')).rejects.toMatchObject({ reason: 'Cancelled' })
  await expect(client.invoke('wrong')).rejects.toMatchObject({
    message: expect.stringContaining('Event name') as string,
  })
  await expect(bus.once('never', { timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
  const closing = bus.once('never')
  const closingInCore = core.once('never')
  await bus.close()
  await expect(closing).rejects.toMatchObject({ reason: 'Disconnected' })
  await expect(closingInCore).rejects.toMatchObject({ reason: 'Disconnected' })
  await expect(core.once('never')).rejects.toMatchObject({ reason: 'Disconnected' })
})
