// The codec of each link, and the values that it carries, whatever else is in the message.
import { describe, expect, test } from 'vitest'
import { defineCore } from '../src/index.js'
import { fixture, next, start } from './start.js'

const core = defineCore({ commands: { echo: (args: object) => args } })
const frontends = { main: fixture('exposing.mjs') }

describe('codec of the bus', () => {
  test('is the default of every link, and of the host itself', async () => {
    const bus = await start({ core, frontends, codec: 'msgpack' })
    const values = { at: new Date(0), big: 10n, none: undefined }
    expect(await bus.call('main', 'echo', values)).toEqual(values)
    const client = await bus.connect('tests')
    expect(await client.invoke('echo', values)).toEqual(values)
    const received = next(bus, 'values')
    await client.emit('values', values)
    expect(await received).toEqual(values)
  })

  test('yields to the codec of a frontend', async () => {
    const bus = await start({ core, codec: 'msgpack' })
    const client = await bus.connect('tests', { codec: 'json' })
    expect(await client.invoke('echo', { at: new Date(0) })).toEqual({ at: '1970-01-01T00:00:00.000Z' })
  })
})
