import { describe, expect, it } from 'vitest'
import { crossed } from '../../test/peer.js'
import { askCredit, collect, credits, end, messages, sayAll, stream } from '../../test/streams.js'

describe('the credit of a channel', () => {
  it('is sent when core asks for it, if onmessage has received the messages before', async () => {
    const { peer, channel } = stream(() => {})
    peer.send(...messages(channel, 0, 300))
    await crossed()
    expect(credits(peer)).toEqual([])
    peer.send(askCredit(channel, 5000), ...messages(channel, 300, 310), askCredit(channel, 7))
    await crossed()
    await crossed()
    expect(credits(peer)).toEqual([5000, 7].map(bytes => ({ channel: channel.id, bytes })))
  })

  it('is sent for messages that were read, not for those that arrived', async () => {
    const { peer, channel } = stream()
    peer.send(...messages(channel, 0, 10), askCredit(channel, 1), askCredit(channel, 2))
    peer.send(sayAll(channel, 10, [10, 11]), askCredit(channel, 3), ...messages(channel, 12, 20), askCredit(channel, 4))
    await crossed()
    expect(credits(peer)).toEqual([])
    const iterator = channel[Symbol.asyncIterator]()
    for (let i = 0; i < 9; i++) await iterator.next()
    await crossed()
    expect(credits(peer)).toEqual([])
    for (let i = 9; i < 12; i++) expect(await iterator.next()).toEqual({ done: false, value: i })
    await crossed()
    expect(credits(peer)).toEqual([1, 2, 3].map(bytes => ({ channel: channel.id, bytes })))
    channel.onmessage = () => {}
    await crossed()
    expect(credits(peer)).toHaveLength(4)
  })

  it('waits for the rest of a batch whose handler has stopped', async () => {
    const seen: unknown[] = []
    const { peer, channel } = stream(message => {
      seen.push(message)
      channel.onmessage = undefined
    })
    peer.send(sayAll(channel, 0, [0, 1, 2]), askCredit(channel, 9))
    await crossed()
    expect([seen, credits(peer)]).toEqual([[0], []])
    channel.onmessage = message => seen.push(message)
    await crossed()
    expect([seen, credits(peer)]).toEqual([[0, 1, 2], [{ channel: channel.id, bytes: 9 }]])
  })

  it('is not sent after the end, or over a closed link', async () => {
    const { peer, channel } = stream()
    peer.send(...messages(channel, 0, 100), askCredit(channel, 1), end(channel, 100))
    expect(await collect(channel)).toHaveLength(100)
    const second = stream()
    second.peer.send(...messages(second.channel, 0, 100), askCredit(second.channel, 1))
    await crossed()
    await second.client.close()
    expect(await collect(second.channel)).toHaveLength(100)
    await crossed()
    expect([credits(peer), credits(second.peer)]).toEqual([[], []])
  })
})
