import { expect, test } from 'vitest'
import { crossed, notify, result, setUp } from '../../test/peer.js'

test('a handler gets no `this`, because a sandboxed script must not see the records of the client', async () => {
  const { client, peer } = setUp()
  const received: unknown[] = []
  const handler = function (this: unknown, ...args: unknown[]): void {
    received.push(this, ...args)
  }
  const listening = client.listen('e', handler)
  await crossed()
  peer.send(result(peer.last.id, 7), notify('$/event', { event: 'e', ids: [7], payload: 1 }))
  await listening
  expect(received).toEqual([undefined, { event: 'e', id: 7, payload: 1 }])
})
