// Calls that arrive before the module has loaded, and what a function sends on the channels that it got.
import type { BusError } from '@sallyport/protocol/internal/errors'
import type { ChannelSender } from '@sallyport/protocol/internal/rpc'
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { crossed, setUp } from '../../test/peer.js'
import { Client } from './client.js'

const request = (id: number, method: string) => ({ jsonrpc: '2.0', id, method })

it('waiting calls run after expose has returned', async () => {
  const { client, peer } = setUp()
  Client.getParts(client).functions.waitFor(new Promise(() => {}))
  peer.send(request(1, 'once'), request(2, 'later'))
  await crossed()
  const hide = client.expose({ once: () => (hide(), declared.later) })
  const declared = { later: 'fine' }
  await crossed()
  expect(peer.received).toEqual([{ jsonrpc: '2.0', id: 1, result: 'fine' }])
})

it('waiting calls keep their order when an earlier call exposes their function', async () => {
  const { client, peer } = setUp()
  const ran: string[] = []
  Client.getParts(client).functions.waitFor(new Promise(() => {}))
  client.expose({ first: () => void client.expose({ next: (_args: never) => void ran.push(`next ${ran.length}`) }) })
  client.expose({ other: () => void ran.push('other') })
  peer.send(request(1, 'next'), request(2, 'first'), request(3, 'next'), request(4, 'other'))
  await crossed()
  expect(ran).toEqual(['next 0', 'next 1', 'other'])
  expect(peer.received.map(({ id }) => id)).toEqual([2, 1, 3, 4])
})

it('a waiting call is dropped when it is cancelled', async () => {
  const { client, peer } = setUp()
  let loaded = (): void => {}
  Client.getParts(client).functions.waitFor(new Promise<void>(resolve => (loaded = resolve)))
  peer.send(request(1, 'a'), request(2, 'b'), { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } })
  await crossed()
  loaded()
  await crossed()
  expect(peer.received.map(({ id }) => id)).toEqual([2])
})

const REPORT = { ...request(1, 'report'), params: { progress: '__CHANNEL__:7' }, channels: { progress: 7 } }
const say = (index: number, message: unknown) => ({
  jsonrpc: '2.0',
  method: '$/channel',
  params: { channel: 7, index, message },
})

it('a message whose sending was awaited leaves before the result', async () => {
  const { client, peer } = setUp()
  client.expose({
    async report({ progress }: { progress: ChannelSender }) {
      await progress.send('message')
      return 'done'
    },
  })
  peer.send(REPORT)
  await crossed()
  expect(peer.received).toEqual([say(0, 'message'), { jsonrpc: '2.0', id: 1, result: 'done' }])
})

/** Returns an object with a getter that throws, but not the first time. */
function createUnsteady(): object {
  let reads = 0
  return {
    get value() {
      if (reads++ > 0) throw new Error('not again')
      return 1
    },
  }
}

it('a channel refuses what cannot be sent, and goes on: sending says why', () =>
  rows({
    'a function': () => {},
    'an object with a getter that throws': {
      get value() {
        throw new Error('never')
      },
    },
    'an object with a getter that throws later': createUnsteady(),
  })(async message => {
    const { client, peer } = setUp()
    client.expose({
      async report({ progress }: { progress: ChannelSender }) {
        const sent = await Promise.allSettled([progress.send('first'), progress.send(message), progress.send('last')])
        return sent.map(outcome => (outcome.status === 'fulfilled' ? 'sent' : outcome.reason.message))
      },
    })
    peer.send(REPORT)
    await crossed()
    const refusal = expect.stringContaining('A value of the stream cannot be serialized: ')
    const result = ['sent', refusal, 'sent']
    expect(peer.received).toEqual([say(0, 'first'), say(1, 'last'), { jsonrpc: '2.0', id: 1, result }])
  }))

it('a message that waits for credit is rejected when the channel is closed', async () => {
  const { client, peer } = setUp()
  client.expose({
    async report({ progress }: { progress: ChannelSender }) {
      await progress.send('x'.repeat(2 ** 20))
      return progress.send('message').catch((error: BusError) => error.reason)
    },
  })
  peer.send(REPORT)
  await crossed()
  peer.send({ jsonrpc: '2.0', method: '$/closeChannel', params: { channel: 7 } })
  await crossed()
  expect(peer.last).toEqual({ jsonrpc: '2.0', id: 1, result: 'Disconnected' })
})
