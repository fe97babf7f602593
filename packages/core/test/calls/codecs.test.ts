// The codec of each link, and the values that it carries, whatever else is in the message.
import { setDevelopment } from '@sallyport/protocol/internal/util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Channel, type CommandContext, defineCore } from '../../src/index.js'
import { fixture, start } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const core = defineCore({ commands: { echo: (args: object) => args } })
const frontends = { main: fixture('calls/exposing.mjs') }

describe('codec of the bus', () => {
  test('is that of every link, and of the host itself', async () => {
    const bus = await start({ core, frontends, codec: 'msgpack' })
    const values = { at: new Date(0), big: 10n, none: undefined }
    expect(await bus.call('main', 'echo', values)).toEqual(values)
    const client = await bus.connect('tests')
    expect(await client.invoke('echo', values)).toEqual(values)
    const received: unknown[] = []
    await bus.listen('values', ({ payload }) => received.push(payload))
    await client.emit('values', values)
    await expect.poll(() => received).toEqual([values])
  })

  test('is the one that an error names', async () => {
    const bus = await start({ core, codec: 'msgpack' })
    await expect(bus.run('return args', { args: { big: 2n ** 64n } })).rejects.toThrow(
      /cannot be serialized as msgpack/,
    )
  })
})

test('a value that cannot be sent is refused under each codec, with its path and a remedy', async () => {
  const buses = await Promise.all((['json', 'msgpack'] as const).map(codec => start({ core, frontends, codec })))
  await rows([
    ['Promise', Promise.resolve(1), 'await it first'],
    ['ReadableStream', new ReadableStream(), 'send its values on a Channel'],
    ['AbortSignal', new AbortController().signal, 'pass it as the option `signal`'],
  ])(async (type, value, remedy) => {
    for (const bus of buses) {
      const client = await bus.connect(type)
      const error = await client.invoke('echo', { a: { list: [value] } }).catch((refused: unknown) => refused)
      expect(error).toMatchObject({ reason: 'InvalidParams' })
      expect((error as Error).message).toMatch(new RegExp(`a\\.list\\[0\\] is a value of type ${type}.*${remedy}`))
    }
  })
})

test('the codec holds for what the code of a run throws', async () => {
  const bus = await start({ core, codec: 'msgpack' })
  await expect(bus.run('throw { big: 10n }')).rejects.toMatchObject({ data: { big: 10n } })
})

test('values arrive in the same form with and without bytes, in arguments, results, events, streams and exposed functions', () =>
  rows(['json', 'msgpack'] as const)(async codec => {
    const at = new Date(0)
    const bytes = new Uint8Array([1])
    const definition = defineCore({
      commands: {
        echo: (args: object) => args,
        async *items() {
          yield { at, bytes }
          yield { at }
        },
        fails: ({ has }: { has: boolean }) => {
          throw has ? { at, bytes } : { at }
        },
      },
    })
    const bus = await start({ core: definition, frontends, codec })
    const client = await bus.connect('tests')
    const arrived = codec === 'json' ? at.toISOString() : at
    const [both, alone] = [{ at: arrived, bytes }, { at: arrived }]
    expect(await client.invoke('echo', { at, bytes })).toEqual(both)
    expect(await client.invoke('echo', { at })).toEqual(alone)
    expect(await bus.call('main', 'echo', { at, bytes })).toEqual(both)
    expect(await bus.call('main', 'echo', { at })).toEqual(alone)
    const items: unknown[] = []
    for await (const item of client.stream('items')) items.push(item)
    expect(items).toEqual([both, alone])
    await expect(client.invoke('fails', { has: true })).rejects.toMatchObject({ data: both })
    await expect(client.invoke('fails', { has: false })).rejects.toMatchObject({ data: alone })
    const received: unknown[] = []
    await bus.listen('values', ({ payload }) => received.push(payload))
    await client.emit('values', { at, bytes })
    await client.emit('values', { at })
    await expect.poll(() => received).toEqual([both, alone])
  }))

test('errors name the codec that was chosen, the path and the remedy', async () => {
  const bus = await start({
    core: defineCore({ commands: { echo: (args: object) => args, map: () => ({ of: new Map() }) } }),
  })
  const client = await bus.connect('tests')
  await expect(client.invoke('echo', { map: new Map(), bytes: new Uint8Array(1) })).rejects.toThrow(
    'cannot be serialized as json: map is a value of type Map, which JSON cannot represent: pass Object.fromEntries(map)',
  )
  await expect(client.invoke('map')).rejects.toThrow(
    'The result of command "map" cannot be serialized: of is a value of type Map',
  )
})

test('values that JSON would change are refused in results, events, channels, streams and exposed functions, in production too', async () => {
  setDevelopment(false)
  onTestFinished(() => setDevelopment(true))
  const bus = await start({
    core: defineCore({
      commands: {
        returns: () => ({ f: () => 1 }),
        async *yields() {
          yield { f: () => 1 }
        },
        emits: (_args: object, { app }: CommandContext) => app.emit('changed', { f: () => 1 }),
        calls: (_args: object, { app }: CommandContext) => app.call('tests', 'returns', { f: () => 1 }),
        sends: async ({ to }: { to: Channel }) => to.send({ f: () => 1 }),
      },
    }),
  })
  const client = await bus.connect('tests')
  client.expose({ returns: () => ({ n: Number.NaN }) })
  await bus.listen('changed', () => {})
  const refused =
    /cannot be serialized.*f is a function, which JSON cannot represent: (?:pass a Channel, or expose it|return what it returns)/
  for (const name of ['returns', 'emits', 'calls']) await expect(client.invoke(name, {})).rejects.toThrow(refused)
  await expect(client.invoke('sends', { to: new client.Channel() })).rejects.toThrow(refused)
  await expect(client.stream('yields').next()).rejects.toThrow(refused)
  await expect(client.emit('changed', { f: () => 1 })).rejects.toThrow(refused)
  await expect(bus.call('tests', 'returns', { f: () => 1 })).rejects.toThrow(refused)
  await expect(bus.call('tests', 'returns')).rejects.toThrow(/result of command "returns" .*: n is NaN, which JSON/)
})
