import { expect, it } from 'vitest'
import { type ChannelSender, receiveChannels } from './channel-sender.js'
import { SentStreams } from './sent-streams.js'

it('a channel ends after its last message was sent, and not when that was requested', async () => {
  const streams = new SentStreams()
  const params = { progress: '__CHANNEL__:7' }
  receiveChannels({ jsonrpc: '2.0', id: 1, method: 'report', params, channels: { progress: 7 } }, streams)
  const { progress } = params as unknown as { progress: ChannelSender }
  const order: string[] = []
  const sending = progress.send('message').then(() => order.push('sent'))
  progress.end()
  expect(await streams.next(7, 1)).toBe('message')
  const end = streams.next(7, 2).catch(() => order.push('end'))
  await new Promise(resolve => setTimeout(resolve))
  streams.sent({ stream: 7, ahead: 1 }, 100)
  await Promise.all([sending, end])
  expect(order).toEqual(['sent', 'end'])
})
