// `bus.addCapability` and `bus.removeCapability`: commands of core that the host alone has. What core took is kept for another
// core that may have to take its place.
import type { Capability } from '../authority/capability.js'
import { HOST_METHOD } from '../host-methods.js'
import type { CoreThread } from './core-thread.js'

export async function changeCapabilities(core: CoreThread, change: 'add', given: Capability): Promise<void>
export async function changeCapabilities(core: CoreThread, change: 'remove', given: string): Promise<void>
export async function changeCapabilities(
  { client, changes }: CoreThread,
  change: 'add' | 'remove',
  given: Capability | string,
): Promise<void> {
  if (change === 'add') {
    changes.decided = await client.invoke<boolean>(HOST_METHOD.addCapability, { capability: given })
    changes.added.set((given as Capability).identifier, given)
  } else {
    changes.decided = await client.invoke<boolean>(HOST_METHOD.removeCapability, { identifier: given })
    if (!changes.added.delete(given as string)) changes.removed.add(given as string)
  }
}
