// Events between buses of a network: an event reaches the listeners of the other buses, by the same targets, and only once.
import { expect, test } from 'vitest'
import { dial, eventWire, socketNetwork } from '../support/socket-network.js'
import { fixture, start } from '../support/start.js'

async function twoBuses() {
  const events = await eventWire()
  const [first, second] = [socketNetwork({ name: 'one', events }), socketNetwork({ name: 'two', events })]
  const buses = [
    await start({ core: fixture('core.mjs'), network: first.network }),
    await start({ core: fixture('core.mjs'), network: second.network }),
  ] as const
  return { buses, paths: [first.path, second.path] as const }
}

test('from hosts and frontends reach all listeners of both buses once', async () => {
  const { buses, paths } = await twoBuses()
  const received: [string, unknown][] = []
  const far = (await dial(paths[1], { label: 'far' })).client
  const near = await buses[1].connect('near')
  await Promise.all([
    far.listen('news', ({ payload }) => void received.push(['far', payload])),
    near.listen('news', ({ payload }) => void received.push(['near', payload])),
    buses[0].listen('news', ({ payload }) => void received.push(['one', payload])),
    buses[1].listen('news', ({ payload }) => void received.push(['two', payload])),
  ])
  const everybody = (payload: unknown): [string, unknown][] =>
    ['far', 'near', 'one', 'two'].map((name): [string, unknown] => [name, payload])
  const sorted = (): [string, unknown][] => received.toSorted(([a], [b]) => (a < b ? -1 : 1))
  await buses[0].emit('news', { n: 1 })
  await expect.poll(sorted).toEqual(everybody({ n: 1 }))
  received.length = 0
  await far.emit('news', 2)
  await expect.poll(sorted).toEqual(everybody(2))
  received.length = 0
  // A repeated event would arrive before this one.
  await near.emit('news', [3])
  await expect.poll(sorted).toEqual(everybody([3]))
})

test('follow the targets of Tauri on other buses, too', async () => {
  const { buses, paths } = await twoBuses()
  const received: [string, unknown][] = []
  const a = (await dial(paths[0], { label: 'a' })).client
  const b = (await dial(paths[1], { label: 'b' })).client
  await a.listen('e', ({ payload }) => void received.push(['a', payload]))
  await b.listen('e', ({ payload }) => void received.push(['b', payload]))
  await b.listen('e', ({ payload }) => void received.push(['b as window', payload]), {
    target: { kind: 'Window', label: 'b' },
  })
  await b.listen('e', ({ payload }) => void received.push(['b as a', payload]), { target: 'a' })
  await a.emitTo('b', 'e', 'to b')
  await b.emitTo({ kind: 'Webview', label: 'b' }, 'e', 'to the webview b')
  await a.emitTo('a', 'e', 'to a')
  // Events arrive over their own socket, at any time.
  await buses[0].emit('e', 'to all')
  const getHeardBy = (who: string): unknown[] => received.filter(([by]) => by === who).map(([, payload]) => payload)
  await expect.poll(() => received.length).toBe(8)
  expect(new Set(getHeardBy('a'))).toEqual(new Set(['to a', 'to all']))
  expect(new Set(getHeardBy('b'))).toEqual(new Set(['to b', 'to the webview b', 'to all']))
  expect(new Set(getHeardBy('b as window'))).toEqual(new Set(['to b', 'to all']))
  expect(getHeardBy('b as a')).toEqual(['to all'])
})
