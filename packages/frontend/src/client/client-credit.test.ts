import { describe, expect, it } from 'vitest'
import { crossed } from '../../test/peer.js'
import { collect, credits, end, messages, stream } from '../../test/streams.js'

describe('the credit of a channel', () => {
  it('is sent for every 64 messages that onmessage has received', async () => {
    const { peer, channel } = stream(() => {})
    peer.send(...messages(channel, 0, 63))
    await crossed()
    expect(credits(peer)).toEqual([])
    peer.send(...messages(channel, 63, 200))
    await crossed()
    await crossed()
    expect(credits(peer)).toEqual([64, 64, 64].map(count => ({ channel: channel.id, messages: count })))
  })

  it('is sent for messages that were read, not for those that arrived', async () => {
    const { peer, channel } = stream()
    peer.send(...messages(channel, 0, 256))
    await crossed()
    expect(credits(peer)).toEqual([])
    const iterator = channel[Symbol.asyncIterator]()
    for (let i = 0; i < 64; i++) await iterator.next()
    await crossed()
    expect(credits(peer)).toEqual([{ channel: channel.id, messages: 64 }])
    channel.onmessage = () => {}
    await crossed()
    expect(credits(peer)).toHaveLength(4)
  })

  it('is not sent after the end, or over a closed link', async () => {
    const { peer, channel } = stream()
    peer.send(...messages(channel, 0, 100), end(channel, 100))
    expect(await collect(channel)).toHaveLength(100)
    const second = stream()
    second.peer.send(...messages(second.channel, 0, 100))
    await crossed()
    await second.client.close()
    expect(await collect(second.channel)).toHaveLength(100)
    await crossed()
    expect([credits(peer), credits(second.peer)]).toEqual([[], []])
  })
})
