// Messages on Node's internal ports of a worker: a frontend that finds these ports cannot end the host. Each of these messages
// would be an uncaught error in the host if Node received it.
import { expect, test } from 'vitest'
import { fixture, next, start } from '../../support/start.js'

test('ignores messages on internal ports that Node itself would not send, and output', async () => {
  let text = ''
  const bus = await start()
  const ready = next(bus, 'lies-ready')
  await bus.open('main', fixture('isolation/inner-port.mjs'), { onStdio: more => (text += more) })
  await ready
  await bus.call('main', 'lie')
  await bus.call('main', 'say')
  await expect.poll(() => text).toBe('said\n')
  await bus.closeFrontend('main')
  expect(await (await bus.connect('tests')).invoke('add', { a: 1, b: 2 })).toBe(3)
})
