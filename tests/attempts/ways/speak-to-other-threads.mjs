export const tries = 'speaks to another thread of the process by a BroadcastChannel'
export const decides = 'the host got the message'
export const reached = ({ wasHeard }) => wasHeard

export default async ({ load, timers, need }) => {
  const Channel = globalThis.BroadcastChannel ?? need((await load('worker_threads')).BroadcastChannel, 'a channel')
  const channel = new Channel('attempts')
  channel.postMessage('from an attempt')
  await new Promise(resolve => timers.setTimeout(resolve, 300))
  channel.close()
  return 'sent'
}
