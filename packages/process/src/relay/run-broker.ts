// The broker of a frontend in a worker, in the thread of relays, which has the network.
import type { FrontendReport, MemberConnection } from '@sallyport/protocol/internal/contract'
import { type LinkEndpoint, openLink, toStream } from '@sallyport/protocol/internal/link'
import { Throttle } from '@sallyport/protocol/internal/util'
import type { BrokerDenial, BrokerOptions } from '../network/broker.js'

export interface BrokerData {
  broker: BrokerOptions
  /** The end of a link to the frontend. */
  link: LinkEndpoint
}

/** Reports of hosts that are denied; the rest are counted. */
const DENIALS_PER_SECOND = 10

export const throttleDenials = (report: (message: FrontendReport) => void): Throttle<BrokerDenial> =>
  new Throttle((denial, more) => report({ type: 'net-denied', ...denial, more }), DENIALS_PER_SECOND)

export async function runBroker(host: MemberConnection, { broker, link }: BrokerData): Promise<void> {
  const denied = throttleDenials(report => host.postMessage(report))
  let close = (): void => {}
  host.onTerminate(() => {
    close()
    host.exit(0)
  })
  const { serveBroker } = await import('../network/serve-broker.js')
  if (host.isTerminated()) return
  const stream = toStream(openLink(link, false))
  const end = serveBroker(stream, broker, denial => denied.add(denial))
  close = () => {
    end()
    stream.destroy()
  }
}
