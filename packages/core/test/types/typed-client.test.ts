// createClient at run time, in the host and in a frontend. It adds types only.
import { createClient } from '@sallyport/frontend'
import { expect, it } from 'vitest'
import { fixture, next, start } from '../support/start.js'

type Core = typeof import('../fixtures/core.mjs').default

it('createClient returns the client that it is passed', async () => {
  const bus = await start()
  const client = await bus.connect('tests')
  const api = createClient<Core>(client)
  expect(api).toBe(client)
  const greeting: string = await api.invoke('greet', { name: 'World' })
  expect(greeting).toBe('Hello, World!')
})

it('createClient in a frontend returns the client of its thread, even before other calls', async () => {
  const bus = await start()
  const ready = next(bus, 'typed-ready')
  await bus.open('typed', fixture('host/typed.mjs'), { allow: '*' })
  await ready
  const result = next(bus, 'result')
  await bus.emit('report')
  expect(await result).toEqual({
    greeting: 'Hello, World!',
    counted: 2,
    received: [0, 1, { number: 0 }, { number: 1 }, 1, { once: 1 }, 2],
  })
})
