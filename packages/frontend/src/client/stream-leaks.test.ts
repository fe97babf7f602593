// Streams and channels that have ended are collected as garbage.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { crossed, notify, result, setUp } from '../../test/peer.js'
import { Channel } from './channel.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

async function expectCollected(refs: readonly WeakRef<object>[]): Promise<void> {
  await expect
    .poll(() => {
      gc()
      return refs.filter(ref => ref.deref() !== undefined).length
    })
    .toBe(0)
}

it('a stream that was read to its end, left or cancelled is collected', () =>
  rows(['read to its end', 'left', 'cancelled'])(async how => {
    const { client, peer } = setUp()
    const open = async (): Promise<WeakRef<object>> => {
      const controller = new AbortController()
      const values = client.stream('download', {}, { signal: controller.signal })
      const first = values.next()
      await crossed()
      const { id, headers } = peer.received.findLast(({ method }) => method === 'download')!
      const channel = Number(/\d+$/.exec(headers['sallyport-stream'] as string)?.[0])
      peer.send(notify('$/channel', { channel, index: 0, message: 'a' }))
      await first
      if (how === 'left') await values.return()
      if (how === 'cancelled') controller.abort()
      if (how === 'read to its end') {
        peer.send(notify('$/channel', { channel, index: 1, end: true }), result(id, null))
        await values.next()
      }
      // The client has forgotten the channel: it closes an unknown channel when core starts to use it.
      peer.send(notify('$/channel', { channel, index: 0, message: 'a' }))
      await expect.poll(() => peer.last).toMatchObject({ method: '$/closeChannel', params: { channel } })
      return new WeakRef(values)
    }
    const refs: WeakRef<object>[] = []
    for (let i = 0; i < 20; i++) refs.push(await open())
    await expectCollected(refs)
    await client.close()
  }))

it('a channel that was closed is collected', async () => {
  const { client, peer } = setUp()
  const open = async (): Promise<WeakRef<object>> => {
    const channel = new Channel()
    const call = client.invoke('download', { channel })
    await crossed()
    channel.close()
    peer.send(result(peer.received.findLast(({ method }) => method === 'download')!.id, null))
    await call
    return new WeakRef(channel)
  }
  const refs: WeakRef<object>[] = []
  for (let i = 0; i < 20; i++) refs.push(await open())
  await expectCollected(refs)
  await client.close()
})
