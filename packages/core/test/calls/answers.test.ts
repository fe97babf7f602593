// Hostile answers to core's calls: none of them settles another call, or a call twice.
import { expect, test } from 'vitest'
import { MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import type { App } from '../../src/api/app.js'
import { Peer, call, setUp } from '../support/peer.js'
import { rows } from '../../../../scripts/testing.js'

/** Creates a peer whose function `ask` makes core call. `settled` holds the number and outcome of each call, in order. */
async function setUpCalls() {
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

test('sends a call as a request and its cancel as a notification', async () => {
  const { peer, ask, settled } = await setUpCalls()
  const controller = new AbortController()
  const calls = ask({ signal: controller.signal })
  expect(await peer.next()).toEqual({ jsonrpc: '2.0', id: 1, method: 'f', params: { number: 0 } })
  controller.abort()
  await calls
  expect(settled).toEqual([[0, 'Cancelled']])
  expect(await peer.next()).toEqual({ jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } })
})

test('settles each call with its first answer, in any order', async () => {
  const { peer, ask, settled, answer } = await setUpCalls()
  const calls = [ask(), ask(), ask()]
  await peer.next()
  answer('"id":2,"result":"b"').send('[{"jsonrpc":"2.0","id":2,"result":"B"},{"jsonrpc":"2.0","id":1,"result":null}]')
  answer('"id":2,"error":{"code":-32000,"message":"late"}')
  answer('"id":3,"error":{"code":-1,"message":"odd"}')
  await Promise.all(calls)
  expect(settled).toEqual([
    [1, 'b'],
    [0, null],
    [2, 'InternalError'],
  ])
})

test('rejects an answer that is none of a call without settling a call', () =>
  rows([
    ['an id of no call', '"id":99,"result":1'],
    ['the id null', '"id":null,"result":1'],
    ['an error with the id null', '"id":null,"error":{"code":1,"message":"x"}'],
    ['a string as id', '"id":"1","result":1'],
    ['a fraction as id', '"id":1.5,"result":1'],
    ['a negative id', '"id":-1,"result":1'],
    ['no id', '"result":1'],
  ])(async (_what, text) => {
    const { peer, ask, settled, answer } = await setUpCalls()
    const calls = ask()
    await peer.next()
    answer(text)
    expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } })
    expect(settled).toEqual([])
    answer('"id":1,"result":"still"')
    await calls
    expect(settled).toEqual([[0, 'still']])
  }))

test('rejects a wrong answer together with its call', () =>
  rows([
    ['result and error', '"id":1,"result":1,"error":{"code":1,"message":"x"}'],
    ['a string as error', '"id":1,"error":"no"'],
    ['an error without a code', '"id":1,"error":{"message":"no"}'],
  ])(async (_what, text) => {
    const { peer, ask, settled, answer } = await setUpCalls()
    const calls = [ask(), ask()]
    await peer.next()
    await peer.next()
    answer(text)
    expect(await peer.next()).toMatchObject({ id: null, error: { code: -32600 } })
    await calls[0]
    expect(settled).toEqual([[0, 'InvalidRequest']])
    answer('"id":2,"result":"still"')
    await calls[1]
    expect(settled[1]).toEqual([1, 'still'])
  }))

test('serves calls after a flood of answers', async () => {
  const { peer, ask, settled } = await setUpCalls()
  const batch = `[${Array.from({ length: 10_000 }, () => '{"jsonrpc":"2.0","id":1,"result":0}').join()}]`
  const calls = ask()
  for (let i = 0; i < 10; i++) peer.send(batch)
  await calls
  peer.send(call(7, 'ok'))
  await peer.next()
  expect(await peer.next()).toMatchObject({ id: 7, result: 'fine' })
  expect(settled).toEqual([[0, 0]])
})

test('rejects calls beyond the limit in flight, and settles all when the frontend disconnects', async () => {
  const { peer, ask, settled } = await setUpCalls()
  const calls = Array.from({ length: MAX_IN_FLIGHT + 1 }, () => ask())
  await calls.at(-1)
  expect(settled).toEqual([[MAX_IN_FLIGHT, 'Overloaded']])
  peer.link.close()
  await Promise.all(calls)
  expect(new Set(settled.slice(1).map(([, reason]) => reason))).toEqual(new Set(['Disconnected']))
  expect(settled).toHaveLength(MAX_IN_FLIGHT + 1)
  await ask()
  expect(settled.at(-1)).toEqual([MAX_IN_FLIGHT + 1, 'Disconnected'])
})

test('does not let a frontend call the functions of another', async () => {
  const { core } = await setUp()
  const peer = new Peer(core, 'main')
  peer.send(call(1, 'plugin:host|call', ',"headers":{"label":"main","name":"f"}'))
  expect(await peer.next()).toMatchObject({ id: 1, error: { code: -32601 } })
})
