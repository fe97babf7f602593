// Ids that a frontend chooses. One that is open is refused, in each way in which it can be used again, and what has it goes on.
import { expect, test } from 'vitest'
import type { App } from '../../src/api/app.js'
import { call, Peer, setUp } from '../support/peer.js'
import { rows } from '../../../../scripts/testing.js'

type Streams = Record<string, AsyncIterable<unknown>>

async function start() {
  let app!: App
  const { core } = await setUp('brownfield', {
    take: (_args: object, ctx: { app: App }) => {
      app = ctx.app
      return null
    },
    read: async ({ s }: Streams) => {
      for await (const value of s!) return value
    },
    forever: () => new Promise(() => {}),
    async *values() {
      yield 'first'
      await new Promise(() => {})
    },
    keep: () => null,
  })
  const peer = new Peer(core, 'main')
  await peer.send(call(0, 'take')).next()
  /** Returns all that has come until core has handled all that was sent. */
  const readAll = async (): Promise<any[]> => {
    peer.send(call('last', 'none'))
    const received = []
    for (let message; message?.id !== 'last'; received.push(message)) {
      message = await peer.next()
      if (peer.closed) throw new Error('The session has ended')
    }
    return received.slice(0, -1)
  }
  return { app, peer, readAll }
}

const declare = (reference: string, ids: readonly number[]): string => {
  const args = ids.map((id, at) => `"${at === 0 ? 's' : `s${at}`}":"__${reference}__:${id}"`)
  const channels = ids.map((id, at) => `"${at === 0 ? 's' : `s${at}`}":${id}`)
  return `,"params":{${args.join()}},"channels":{${channels.join()}}`
}
const stream = (...ids: number[]): string => declare('STREAM', ids)
const channel = (...ids: number[]): string => declare('CHANNEL', ids)
const values = (id: number): string => `,"headers":{"sallyport-stream":"__CHANNEL__:${id}"}`
const notify = (method: string, params: object): string => JSON.stringify({ jsonrpc: '2.0', method, params })
const value = notify('$/channel', { channel: 7, index: 0, message: 'first' })

const INVALID = { code: -32600 }

test('an id that is open is refused, and what has it goes on', () =>
  rows([
    ['a call', call(1, 'read', stream(7)), call(1, 'forever'), 1],
    ['a stream as an argument', call(1, 'read', stream(7)), call(2, 'forever', stream(7)), 2],
    ['the second of two streams', call(1, 'read', stream(7)), call(2, 'forever', stream(8, 7)), 2],
    [
      'a stream of a notification',
      call(1, 'read', stream(7)),
      notify('keep', {}).replace(',"params":{}', stream(7)),
      null,
    ],
    ['the values of a command', call(1, 'values', values(7)), call(2, 'values', values(7)), 2],
    ['the values, and a channel', call(1, 'values', values(7)), call(2, 'values', channel(9) + values(9)), 2],
  ])(async (_what, first, second, refused) => {
    const { peer, readAll } = await start()
    peer.send(first).send(second)
    const answers = (await readAll()).filter(({ error }) => error)
    if (refused === null) expect(answers).toEqual([])
    else expect(answers).toEqual([expect.objectContaining({ id: refused, error: expect.objectContaining(INVALID) })])
    peer.send(value)
    const later = [...(await readAll()), ...(await readAll())]
    const isValues = first.includes('sallyport-stream')
    if (!isValues) expect(later).toContainEqual({ jsonrpc: '2.0', id: 1, result: 'first' })
    // What is left of the refused call is open no more.
    peer.send(call(3, 'keep', stream(8)))
    expect(await readAll()).toContainEqual({ jsonrpc: '2.0', id: 3, result: null })
  }))

test('a stream that one call declares twice is refused, and is open for the next one', async () => {
  const { peer, readAll } = await start()
  peer
    .send(call(1, 'forever', stream(7, 7)))
    .send(call(2, 'read', stream(7)))
    .send(value)
  const received = [...(await readAll()), ...(await readAll())]
  expect(received).toContainEqual(expect.objectContaining({ id: 1, error: expect.objectContaining(INVALID) }))
  expect(received).toContainEqual({ jsonrpc: '2.0', id: 2, result: 'first' })
})

test('an answer with the id of an open stream rejects its call, and the stream goes on', () =>
  rows(['stream', 'call'] as const)(async way => {
    const { app, peer, readAll } = await start()
    const failure = Promise.resolve(way === 'call' ? app.call('main', 'f') : app.stream('main', 'f').next()).catch(
      (error: unknown) => error,
    )
    peer.send(call(1, 'read', stream(7)))
    const requests = await readAll()
    const { id } = requests.find(({ method }) => method === 'f')
    peer.send(`{"jsonrpc":"2.0","id":${id},"result":null,"stream":7}`)
    expect(await failure).toMatchObject({ reason: 'InvalidRequest' })
    peer.send(value)
    expect([...(await readAll()), ...(await readAll())]).toContainEqual({ jsonrpc: '2.0', id: 1, result: 'first' })
  }))
