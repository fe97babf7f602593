// Streams as arguments of exposed functions: the frontend reads a source of core or of the host.
import { describe, expect, test } from 'vitest'
import { defineCore } from '../../src/index.js'
import { fixture, isolation, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

const core = defineCore({
  commands: {
    pass: ({ values }, { app }) => app.call('main', 'collect', { body: toSource(values as unknown[]).body }),
  },
})

/** @param end resolves to end a source that waits after its values */
function toSource(values: Iterable<unknown>, end?: Promise<void>) {
  let close = (): void => {}
  const closed = new Promise<void>(resolve => (close = resolve))
  async function* generate() {
    try {
      yield* values
      await end
    } finally {
      close()
    }
  }
  return { body: generate(), closed }
}

const numbers = Array.from({ length: 50 }, (_, i) => i)
const never = new Promise<void>(() => {})

const ways = [
  ['permission', {}],
  ['quickjs', {}],
  ['process', {}],
  ['process', isolation('judge', {}, { identifier: 'main', windows: ['main'], permissions: ['allow-pass'] })],
] as const

describe.each(choose(ways))('a frontend with sandbox %s', (sandbox, app) => {
  const open = async () => {
    const bus = await start({ core, ...app })
    await bus.open('main', fixture('streams/uploader.mjs'), { sandbox, allow: '*' })
    return bus
  }

  test('reads a stream of the host', async () => {
    const bus = await open()
    const values = [...numbers, null, { a: 1 }, new Uint8Array(70_000)]
    expect(await bus.call('main', 'collect', { body: toSource(values).body })).toEqual([
      ...numbers,
      null,
      { a: 1 },
      70_000,
    ])
  })

  test('ends the source when its function returns early', async () => {
    const bus = await open()
    const { body, closed } = toSource(numbers)
    expect(await bus.call('main', 'first', { body })).toBe(0)
    await closed
  })
})

const openMain = async () => {
  const bus = await start({ core })
  await bus.open('main', fixture('streams/uploader.mjs'), { allow: '*' })
  return bus
}

test('core passes a stream to a function of a frontend', async () => {
  const bus = await openMain()
  const client = await bus.connect('tests', { allow: '*' })
  expect(await client.invoke('pass', { values: ['a', 'b'] })).toEqual(['a', 'b'])
})

test('the loop of the function rejects when the host cancels the call', async () => {
  const bus = await openMain()
  const controller = new AbortController()
  const [reading, ended] = [bus.once('reading'), bus.once('ended')]
  const { body } = toSource([1], never)
  const call = bus.call('main', 'report', { body }, { signal: controller.signal })
  await reading
  controller.abort()
  await expect(call).rejects.toMatchObject({ reason: 'Cancelled' })
  expect((await ended).payload).toBe('Cancelled')
})

test('the source is closed when the frontend that reads it ends', async () => {
  const bus = await openMain()
  const reading = bus.once('reading')
  const { body, closed } = toSource(endless())
  const call = bus.call('main', 'report', { body })
  await reading
  const ending = bus.closeFrontend('main')
  await expect(call).rejects.toMatchObject({ reason: 'Disconnected' })
  await Promise.all([closed, ending])
})

function* endless() {
  for (;;) yield 1
}

test('an error of the source rejects the loop of the function', async () => {
  const bus = await openMain()
  const body = (async function* () {
    yield 1
    throw new Error('no more')
  })()
  await expect(bus.call('main', 'collect', { body })).rejects.toThrow('no more')
})

test('a stream that cannot be read is refused with the name of its argument', async () => {
  const bus = await openMain()
  const body = new ReadableStream()
  body.getReader()
  await expect(bus.call('main', 'collect', { body })).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: expect.stringContaining('The argument "body"'),
  })
})
