// createClient at run time: types are all that it adds, in the host and in a frontend.
import { createClient } from '@sallyport/frontend'
import { expect, it } from 'vitest'
import { fixture, next, start } from './start.js'

type Core = typeof import('./fixtures/core.mjs').default

it('is the very client that it is given', async () => {
  const bus = await start()
  const client = await bus.connect('tests')
  const api = createClient<Core>(client)
  expect(api).toBe(client)
  const greeting: string = await api.invoke('greet', { name: 'World' })
  expect(greeting).toBe('Hello, World!')
})

it('is the client of its thread in a frontend, where a module may make it first', async () => {
  const bus = await start()
  const ready = next(bus, 'typed-ready')
  await bus.open('typed', fixture('typed.mjs'))
  await ready
  const result = next(bus, 'result')
  await bus.emit('tell')
  expect(await result).toEqual({
    greeting: 'Hello, World!',
    counted: 2,
    heard: [0, 1, { number: 0 }, { number: 1 }, 1, { once: 1 }, 2],
  })
})

it('fails when it is called in a thread without a client', async () => {
  const api = createClient<Core>()
  const calls = [
    () => api.invoke('greet', { name: 'x' }),
    () => api.emit('e'),
    () => api.emitTo('a', 'e'),
    () => api.listen('e', () => {}),
    () => api.once('e', () => {}),
  ]
  expect(() => api.stream('numbers', { to: 1 })).toThrow('not a frontend')
  for (const call of calls) {
    await expect((async () => call())()).rejects.toMatchObject({
      reason: 'Disconnected',
      message: expect.stringContaining('not a frontend'),
    })
  }
})
