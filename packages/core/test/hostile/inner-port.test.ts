// A frontend that finds the ports by which Node and Sallyport speak of its worker's life can't end the host with what it
// says there: each of these messages is an uncaught error in the host where Node gets to see it.
import { expect, test } from 'vitest'
import { fixture, next, start } from '../start.js'

test('what Node itself would not say is not heard, and the rest is', async () => {
  let text = ''
  const bus = await start()
  const ready = next(bus, 'lies-ready')
  await bus.open('main', fixture('inner-port.mjs'), { onStdio: more => (text += more) })
  await ready
  await bus.call('main', 'lie')
  await expect.poll(() => text).toBe('said\nin bytes\n')
  await bus.closeFrontend('main')
  expect(await (await bus.connect('tests')).invoke('add', { a: 1, b: 2 })).toBe(3)
})
