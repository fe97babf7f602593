// A call with a channel, and the messages of a peer on the channel.
import type { Client } from '../src/client/client.js'
import type { Channel } from '../src/client/channel.js'
import { notify, setUp, type Peer } from './peer.js'

export const say = (channel: Channel, index: number, message: unknown): unknown =>
  notify('$/channel', { channel: channel.id, index, message })
export const sayAll = (channel: Channel, index: number, messages: unknown): unknown =>
  notify('$/channel', { channel: channel.id, index, messages })
export const askCredit = (channel: Channel, bytes: number): unknown =>
  notify('$/channel', { channel: channel.id, credit: bytes })
export const end = (channel: Channel, index: number): unknown =>
  notify('$/channel', { channel: channel.id, index, end: true })
export const messages = (channel: Channel, from: number, to: number): unknown[] =>
  Array.from({ length: to - from }, (_, i) => say(channel, from + i, from + i))
export const credits = (peer: Peer): unknown[] =>
  peer.received.filter(({ method }) => method === '$/credit').map(({ params }) => params)

/** Makes a call with a channel. */
export function stream(onmessage?: (message: unknown) => void): {
  client: Client
  peer: Peer
  channel: Channel
  call: Promise<unknown>
} {
  const { client, peer } = setUp()
  const channel = new client.Channel<unknown>(onmessage)
  const call = client.invoke('download', { url: 'x', channel })
  call.catch(() => {})
  return { client, peer, channel, call }
}

export async function collect(channel: Channel): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const message of channel) seen.push(message)
  return seen
}
