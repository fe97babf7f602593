// Events between buses that a network joins: what is emitted at one reaches the listeners of the others, by the same targets, and
// is not told again.
import { expect, test } from 'vitest'
import { dial, eventWire, socketNetwork } from './socket-network.js'
import { fixture, start } from './start.js'

async function twoBuses() {
  const events = await eventWire()
  const [one, two] = [socketNetwork({ name: 'one', events }), socketNetwork({ name: 'two', events })]
  const buses = [
    await start({ core: fixture('core.mjs'), network: one.network }),
    await start({ core: fixture('core.mjs'), network: two.network }),
  ] as const
  return { buses, paths: [one.path, two.path] as const }
}

test('reach everybody at both, from core’s hosts and from frontends, once', async () => {
  const { buses, paths } = await twoBuses()
  const heard: [string, unknown][] = []
  const far = (await dial(paths[1], { label: 'far' })).client
  const near = await buses[1].connect('near')
  await Promise.all([
    far.listen('news', ({ payload }) => void heard.push(['far', payload])),
    near.listen('news', ({ payload }) => void heard.push(['near', payload])),
    buses[0].listen('news', ({ payload }) => void heard.push(['one', payload])),
    buses[1].listen('news', ({ payload }) => void heard.push(['two', payload])),
  ])
  const everybody = (payload: unknown): [string, unknown][] =>
    ['far', 'near', 'one', 'two'].map((name): [string, unknown] => [name, payload])
  const sorted = (): [string, unknown][] => heard.toSorted(([a], [b]) => (a < b ? -1 : 1))
  await buses[0].emit('news', { n: 1 })
  await expect.poll(sorted).toEqual(everybody({ n: 1 }))
  heard.length = 0
  await far.emit('news', 2)
  await expect.poll(sorted).toEqual(everybody(2))
  heard.length = 0
  // Had anything been told again, it would come before this.
  await near.emit('news', [3])
  await expect.poll(sorted).toEqual(everybody([3]))
})

test('go by Tauri’s targets at the others too', async () => {
  const { buses, paths } = await twoBuses()
  const heard: [string, unknown][] = []
  const a = (await dial(paths[0], { label: 'a' })).client
  const b = (await dial(paths[1], { label: 'b' })).client
  await a.listen('e', ({ payload }) => void heard.push(['a', payload]))
  await b.listen('e', ({ payload }) => void heard.push(['b', payload]))
  await b.listen('e', ({ payload }) => void heard.push(['b as window', payload]), {
    target: { kind: 'Window', label: 'b' },
  })
  await b.listen('e', ({ payload }) => void heard.push(['b as a', payload]), { target: 'a' })
  await a.emitTo('b', 'e', 'to b')
  await b.emitTo({ kind: 'Webview', label: 'b' }, 'e', 'to the webview b')
  await a.emitTo('a', 'e', 'to a')
  // In one process, over a wire of its own, this comes whenever it does.
  await buses[0].emit('e', 'to all')
  const heardBy = (who: string): unknown[] => heard.filter(([by]) => by === who).map(([, payload]) => payload)
  await expect.poll(() => heard.length).toBe(8)
  expect(new Set(heardBy('a'))).toEqual(new Set(['to a', 'to all']))
  expect(new Set(heardBy('b'))).toEqual(new Set(['to b', 'to the webview b', 'to all']))
  expect(new Set(heardBy('b as window'))).toEqual(new Set(['to b', 'to all']))
  expect(heardBy('b as a')).toEqual(['to all'])
})
