// A frontend that answers core's calls as no honest one would: nothing of it settles another call, or any call twice.
import { expect, test } from 'vitest'
import { MAX_IN_FLIGHT } from '@sallyport/protocol'
import type { App } from '../src/api/app.js'
import { Peer, call, setUp } from './peer.js'

/** A core whose `call` calls a function of the frontend `main`, and what became of each call, in order. */
async function attack() {
  const settled: [number, unknown][] = []
  let app!: App
  const { core } = await setUp('brownfield', {
    ok: () => 'fine',
    take: (_args: object, ctx: { app: App }) => {
      app = ctx.app
      return null
    },
  })
  const peer = new Peer(core, 'main')
  await peer.send(call(0, 'take')).next()
  let made = 0
  const ask = (options?: object): Promise<void> => {
    const number = made++
    return app.call('main', 'f', { number }, options).then(
      value => void settled.push([number, value]),
      ({ reason }: { reason: string }) => void settled.push([number, reason]),
    )
  }
  return { peer, ask, settled, answer: (text: string) => peer.send(`{"jsonrpc":"2.0",${text}}`) }
}

test('a call is a request, and its cancel a notification', async () => {
  const { peer, ask, settled } = await attack()
  const controller = new AbortController()
  const asked = ask({ signal: controller.signal })
  expect(await peer.next()).toEqual({ jsonrpc: '2.0', id: 1, method: 'f', params: { number: 0 } })
  controller.abort()
  await asked
  expect(settled).toEqual([[0, 'Cancelled']])
  expect(await peer.next()).toEqual({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } })
})

test('each answer settles its own call, the first alone, in any order', async () => {
  const { peer, ask, settled, answer } = await attack()
  const asked = [ask(), ask(), ask()]
  await peer.next()
  answer('"id":2,"result":"b"').send('[{"jsonrpc":"2.0","id":2,"result":"B"},{"jsonrpc":"2.0","id":1,"result":null}]')
  answer('"id":2,"error":{"code":-32000,"message":"late"}')
  answer('"id":3,"error":{"code":-1,"message":"odd"}')
  await Promise.all(asked)
  expect(settled).toEqual([
    [1, 'b'],
    [0, null],
    [2, 'InternalError'],
  ])
})

test.each([
  ['an id that was never given', '"id":99,"result":1'],
  ['an id of nothing', '"id":null,"result":1'],
  ['an error about nothing', '"id":null,"error":{"code":1,"message":"x"}'],
  ['an id that is a text', '"id":"1","result":1'],
  ['an id that is no integer', '"id":1.5,"result":1'],
  ['a negative id', '"id":-1,"result":1'],
  ['no id', '"result":1'],
])('an answer with %s settles nothing, and is refused as an error about no call', async (_what, text) => {
  const { peer, ask, settled, answer } = await attack()
  const asked = ask()
  await peer.next()
  answer(text)
  expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } })
  expect(settled).toEqual([])
  answer('"id":1,"result":"still"')
  await asked
  expect(settled).toEqual([[0, 'still']])
})

test.each([
  ['both', '"id":1,"result":1,"error":{"code":1,"message":"x"}'],
  ['an error that is none', '"id":1,"error":"no"'],
  ['an error without a code', '"id":1,"error":{"message":"no"}'],
])('an answer with %s fails the call that it names, and is refused', async (_what, text) => {
  const { peer, ask, settled, answer } = await attack()
  const asked = [ask(), ask()]
  await peer.next()
  await peer.next()
  answer(text)
  expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } })
  await asked[0]
  expect(settled).toEqual([[0, 'InvalidRequest']])
  answer('"id":2,"result":"still"')
  await asked[1]
  expect(settled[1]).toEqual([1, 'still'])
})

test('a flood of answers costs what it costs to read them, and calls are served between', async () => {
  const { peer, ask, settled } = await attack()
  const batch = `[${Array.from({ length: 10_000 }, () => '{"jsonrpc":"2.0","id":1,"result":0}').join()}]`
  const asked = ask()
  for (let i = 0; i < 10; i++) peer.send(batch)
  await asked
  peer.send(call(7, 'ok'))
  await peer.next()
  expect(await peer.next()).toMatchObject({ id: 7, result: 'fine' })
  expect(settled).toEqual([[0, 0]])
})

test('more calls than a frontend may have in flight are refused; all settle when it goes', async () => {
  const { peer, ask, settled } = await attack()
  const asked = Array.from({ length: MAX_IN_FLIGHT + 1 }, () => ask())
  await asked.at(-1)
  expect(settled).toEqual([[MAX_IN_FLIGHT, 'Overloaded']])
  peer.link.close()
  await Promise.all(asked)
  expect(new Set(settled.slice(1).map(([, reason]) => reason))).toEqual(new Set(['Disconnected']))
  expect(settled).toHaveLength(MAX_IN_FLIGHT + 1)
  await ask()
  expect(settled.at(-1)).toEqual([MAX_IN_FLIGHT + 1, 'Disconnected'])
})

test('a frontend has no such command: it can’t call another', async () => {
  const { core } = await setUp()
  const peer = new Peer(core, 'main')
  peer.send(call(1, 'plugin:host|call', ',"headers":{"label":"main","name":"f"}'))
  expect(await peer.next()).toMatchObject({ id: 1, error: { code: -32601 } })
})
