// @ts-check
// An instance of core in its own process: a bus with a network, over which frontends of other processes reach it.
import { createBus } from '@sallyport/core'
import { natsNetwork } from '@sallyport/nats'

/** @type {import('@sallyport/core').Bus} */
let bus

/** For frontends of other processes, by label. @type {import('@sallyport/core').Capability} */
const capability = {
  identifier: 'frontends',
  windows: ['spread', 'sticky'],
  permissions: ['allow-work', 'allow-count', 'allow-announce'],
}

/** @param {import('@sallyport/nats').NatsNetworkOptions} options */
export async function start(options) {
  bus = await createBus({
    core: new URL('./core.js', import.meta.url),
    network: natsNetwork(options),
    capabilities: [capability],
    log: false,
  })
}

/** Returns the figures of all instances, which they exchange every two seconds. */
export const stats = async () => (await bus.stats()).network

export const end = () => bus?.close()
