// A client with a hostile core: it keeps answering calls of its functions, or its link closes.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { createLinkEndpoints, openLink, type LinkKind } from '@sallyport/protocol/internal/link'
import { Channel, LinkClient } from '@sallyport/frontend/internal'
import { Wire } from './wire.js'

export interface ClientRun {
  readonly wire: Wire
  close(): Promise<void>
}

/** Creates a client with pending calls, an open channel, a stream and a listener. */
export function openClient(link: LinkKind, codec: CodecName): ClientRun {
  const [hostileEndpoint, endpoint] = createLinkEndpoints(link)
  const client = new LinkClient(openLink(hostileEndpoint, true), { label: 'fuzzed', codec })
  const wire = new Wire(openLink(endpoint, true), endpoint, true)
  client.expose({ f: (args: unknown) => args, fails: () => Promise.reject(new Error('it fails')) })
  const settled: Promise<unknown>[] = [client.invoke('a'), client.invoke('b', { channel: new Channel(() => {}) })]
  settled.push(client.listen('news', () => {}))
  const read = async (): Promise<void> => {
    for await (const _value of client.stream('c'));
  }
  settled.push(read())
  const all = Promise.allSettled(settled)
  return {
    wire,
    async close() {
      await client.close()
      wire.link.close()
      await all
    },
  }
}
