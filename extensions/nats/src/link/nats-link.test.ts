// The behaviour of every link, over an in-memory broker, with small messages too.
import { describe, expect, it } from 'vitest'
import { linkBehaviour } from '../../../../packages/protocol/test/link-behaviour.js'
import { linkFlow } from '../../../../packages/protocol/test/link-flow.js'
import { createLinkPair, settle } from '../../test/long/link-pair.js'

linkBehaviour('a NATS link', () => createLinkPair().links, settle)
linkFlow('a NATS link', () => createLinkPair().links)
linkBehaviour('a NATS link with small messages', () => createLinkPair({ maxPayload: 2000 }).links, settle)

describe('a NATS link', () => {
  it('reports the first authentic message once, and begin and end', async () => {
    const log: string[] = []
    const { links } = createLinkPair({
      far: { opened: () => log.push('opened'), begun: () => log.push('begun'), ended: () => log.push('ended') },
    })
    links[0].begin()
    links[0].end()
    await settle()
    expect(log).toEqual(['opened', 'begun', 'ended'])
    links[0].close()
  })
})
