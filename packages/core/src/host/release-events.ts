// The end of the time in which core keeps events for a host that is about to listen.
import { setImmediate as nextTick } from 'node:timers/promises'
import { settleListeners } from '@sallyport/frontend/internal'
import type { Host } from './host.js'
import type { LocalCore } from './local-core.js'

/** Lets core forget the events that it has kept, in the first tick in which the host calls no `listen`. */
export async function releaseEvents({ core, frontends }: Host<LocalCore>): Promise<void> {
  await frontends.synchronized
  do await nextTick()
  while (await settleListeners(core.client))
  core.releaseEvents()
}
