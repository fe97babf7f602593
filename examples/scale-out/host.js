// @ts-check
// An instance of core, in a process of its own: a bus as any other, and a network by which the frontends of other processes reach it.
import { createBus } from '@sallyport/core'
import { natsNetwork } from '@sallyport/nats'

/** @type {import('@sallyport/core').Bus} */
let bus

/** @param {import('@sallyport/nats').NatsNetworkOptions} options */
export async function start(options) {
  bus = await createBus({ core: new URL('./core.js', import.meta.url), network: natsNetwork(options), log: false })
}

/** What this instance knows of all: they tell each other every two seconds. */
export const stats = async () => (await bus.stats()).network

export const end = () => bus?.close()
