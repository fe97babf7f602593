// A frontend in a sandbox looks for the ports of its links, to post objects that Node deserializes in the thread at the other end.
import { describe, expect, test } from 'vitest'
import { next, fixture, start } from '../../support/start.js'
import { at, eventually, patientPatterns, supervise } from '../../support/supervised.js'
import { rows } from '../../../../../scripts/testing.js'

const evil = new URL('port-attacks.mjs', import.meta.url)
const NAMES = ['ReadableStream', 'WritableStream', 'TransformStream', 'FileHandle', 'Blob', 'deserializeInfo']

/** A script has no imports: it counts the globals with which it could attack. */
const script = at(`
const names = ['MessagePort', 'MessageChannel', 'ReadableStream', 'WritableStream', 'TransformStream', 'Blob']
sallyport.expose({ attack: () => names.filter(name => globalThis[name] !== undefined).length })
await sallyport.emit('ready-to-attack')
`)

describe.each(patientPatterns)('%s', (_name, app) => {
  test('no sandbox has a port to attack with, whatever names it is given', () =>
    rows([
      { names: NAMES, sandbox: 'permission' as const, module: evil },
      { names: ['anything'], sandbox: 'quickjs' as const, module: script },
    ])(async ({ names, sandbox, module }) => {
      const { bus, events } = await supervise(app)
      const client = await bus.connect('tests')
      const core = await client.invoke('which')
      const ready = next(bus, 'ready-to-attack')
      await bus.open('evil', module, { sandbox })
      await ready
      for (const name of names) {
        expect(await eventually(() => bus.call<number>('evil', 'attack', { name })), name).toBe(0)
        expect(await client.invoke('which'), name).toBe(core)
      }
      expect(events).toEqual([])
    }))
})

// Messages on Node's internal ports of a worker: a frontend that finds these ports cannot end the host. Each of these messages
// would be an uncaught error in the host if Node received it.
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
