// Capabilities and plugins that the host adds and removes at run time, one change after the other.
import { HOST_METHOD } from '../contract/host-core.js'
import { checkPlain } from '../acl/schema.js'
import type { Capability } from '../acl/types.js'
import type { AddedPlugin } from './added-plugin.js'
import type { Host } from './host.js'
import type { LocalCore } from './local-core.js'

interface RunningPlugin {
  /** Lets core call its functions no more. */
  readonly hide: () => void
  readonly teardown: () => Promise<void>
}

export class RightChanges {
  readonly #host: Host<LocalCore>
  readonly #plugins = new Map<string, RunningPlugin>()
  #changing: Promise<void> = Promise.resolve()

  constructor(host: Host<LocalCore>) {
    this.#host = host
  }

  async addCapability(capability: Capability): Promise<void> {
    checkPlain({ value: capability, from: 'bus.addCapability' })
    const { core, reporter } = this.#host
    // A copy, because the next core gets it too.
    const sent = structuredClone(capability)
    await this.#change(async () => {
      await core.client.invoke(HOST_METHOD.addCapability, { capability: sent })
      core.changes.added.set(sent.identifier, sent)
      reporter.reportRights('capability', sent.identifier)
    })
  }

  async removeCapability(identifier: string): Promise<void> {
    const { core, frontends, reporter } = this.#host
    const { added, removed } = core.changes
    await this.#change(async () => {
      const capability = added.get(identifier)
      // Before the removal: a frontend that connects again meanwhile must not be trusted again.
      if (capability) frontends.endTrust(capability)
      await core.client.invoke(HOST_METHOD.removeCapability, { identifier })
      if (!added.delete(identifier)) removed.add(identifier)
      reporter.reportRights('capability', identifier)
    })
  }

  async addPlugin(plugin: AddedPlugin): Promise<void> {
    // Few hosts add plugins.
    const { preparePlugin } = await import('./added-plugin.js')
    const { plugin: sent, functions } = preparePlugin(plugin)
    const { core, reporter } = this.#host
    await this.#change(async () => {
      const hide = core.client.expose(functions)
      try {
        await core.client.invoke(HOST_METHOD.addPlugin, { plugin: sent })
      } catch (error) {
        hide()
        throw error
      }
      core.plugins.set(sent.name, sent)
      this.#plugins.set(sent.name, { hide, teardown: async () => plugin.teardown?.() })
      reporter.reportRights('plugin', sent.name)
    })
  }

  async removePlugin(name: string): Promise<void> {
    const { core, reporter } = this.#host
    await this.#change(async () => {
      await core.client.invoke(HOST_METHOD.removePlugin, { name })
      core.plugins.delete(name)
      const removed = this.#plugins.get(name)
      this.#plugins.delete(name)
      removed?.hide()
      reporter.reportRights('plugin', name)
      await removed?.teardown()
    })
  }

  /** Ends the plugins once core has ended. A teardown that fails is logged. */
  async tearDown(): Promise<void> {
    const teardowns = [...this.#plugins].map(([plugin, { teardown }]) =>
      teardown().catch((err: unknown) => this.#host.log.error({ plugin, err }, 'a teardown failed')),
    )
    this.#plugins.clear()
    await Promise.all(teardowns)
  }

  /** A removal has to know what was added before. */
  #change(change: () => Promise<void>): Promise<void> {
    const changing = this.#changing.then(change)
    this.#changing = changing.catch(() => {})
    return changing
  }
}
