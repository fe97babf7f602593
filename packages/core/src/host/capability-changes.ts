// `bus.addCapability` and `bus.removeCapability`: commands of core that the host alone has. What core took is kept for another
// core that may have to take its place.
import type { Capability } from '../authority/capability.js'
import type { ExplainedFrontend } from '../authority/explain.js'
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

/** Milliseconds for what is ready where core is not busy. */
const PATIENCE_MS = 2000

/** What this frontend may call, after all changes. */
export async function explainNow({ client }: CoreThread, label: string): Promise<ExplainedFrontend> {
  const options = { timeout: PATIENCE_MS }
  const [explained] = await client.invoke<ExplainedFrontend[]>(HOST_METHOD.explain, { labels: [label] }, options)
  return explained!
}
