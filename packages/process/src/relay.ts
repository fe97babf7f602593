// Entry of the thread of relays, which runs no code of a frontend: a member is the relay of a process, or the broker of a frontend in a thread.
import { parentPort } from 'node:worker_threads'
import { type MemberConnection, serveMembers } from '@sallyport/protocol/internal/contract'
import { openLink, toStream } from '@sallyport/protocol/internal/link'
import type { BrokerData, RelayData } from './relay/relay-data.js'
import { runRelay, throttleDenials } from './relay/run-relay.js'

serveMembers<RelayData | BrokerData>(parentPort!, (host, data) => {
  if ('launch' in data) return runRelay(host, data)
  return runBroker(host, data)
})

async function runBroker(host: MemberConnection, { broker, link }: BrokerData): Promise<void> {
  const denied = throttleDenials(report => host.postMessage(report))
  let close = (): void => {}
  host.onTerminate(() => {
    close()
    host.exit(0)
  })
  const { serveBroker } = await import('./network/serve-broker.js')
  if (host.isTerminated()) return
  const stream = toStream(openLink(link, false))
  const end = serveBroker(stream, broker, denial => denied.add(denial))
  close = () => {
    end()
    stream.destroy()
  }
}
