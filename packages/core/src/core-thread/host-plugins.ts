// Plugins that the host adds at run time. Their commands run in the host: core checks rights, quotas and middleware as for any command,
// and then calls the function that the host exposes by the command's method.
import { BusError } from '@sallyport/protocol/internal/errors'
import type { Authority } from '../acl/authority.js'
import { getPluginFiles, toCommandIdentity } from '../acl/identifier.js'
import type { AllowList, CommandIdentity, PermissionFileSource } from '../acl/types.js'
import type { CommandDescription } from '../api/command-description.js'
import type { CoreDefinition } from '../api/define.js'
import type { HostPlugin } from '../contract/host-core.js'
import { composeRun } from '../rpc/call-phases.js'
import { isStream, type RunnableCommand } from '../rpc/call-table.js'
import type { Quotas } from '../rpc/quotas.js'
import { checkCommandName, checkPluginName, PermissionOwners } from '../rpc/registry.js'
import type { Sessions } from '../rpc/sessions.js'

/** What a plugin affects that is added while core runs. */
interface Affected {
  readonly authority: Authority
  readonly quotas: Quotas
  /** The commands of the host. */
  readonly hostRegistry: Map<string, RunnableCommand>
}

interface HostPluginsDeps {
  definition: CoreDefinition
  /** The commands of frontends. */
  registry: Map<string, RunnableCommand>
  sessions: Sessions
  /** Those that the host had added to the core before. They are added to the registry at once. */
  plugins: readonly HostPlugin[] | undefined
  /** Called only for later plugins, because rights and quotas depend on the commands of the first ones. */
  getAffected(): Affected
}

export class HostPlugins {
  readonly #deps: HostPluginsDeps
  readonly #plugins = new Map<
    string,
    { files: readonly PermissionFileSource[]; commands: readonly RunnableCommand[] }
  >()

  constructor(deps: HostPluginsDeps) {
    this.#deps = deps
    for (const plugin of deps.plugins ?? []) this.#add(plugin)
  }

  get commands(): Iterable<CommandIdentity> {
    return this.#deps.registry.values()
  }

  get pluginFiles(): readonly PermissionFileSource[] {
    return [...getPluginFiles(this.#deps.definition), ...[...this.#plugins.values()].flatMap(({ files }) => files)]
  }

  /** Adds a plugin for all sessions. An error changes nothing. @throws {BusError} InvalidParams */
  add(plugin: HostPlugin): void {
    const commands = this.#add(plugin)
    const { authority, quotas, hostRegistry } = this.#deps.getAffected()
    try {
      authority.replaceCommands(this.commands, this.pluginFiles)
    } catch (error) {
      this.#forget(plugin.name)
      throw error
    }
    for (const command of commands) {
      quotas.addCommand(command)
      hostRegistry.set(command.method, command)
    }
  }

  /** Removes a plugin. Its running calls go on. @throws {BusError} InvalidParams */
  remove(name: string): void {
    const { authority, quotas, hostRegistry } = this.#deps.getAffected()
    const removed = this.#forget(name)
    if (!removed) throw new BusError('InvalidParams', `bus.removePlugin: no plugin ${JSON.stringify(name)} was added`)
    for (const { method } of removed) {
      quotas.removeCommand(method)
      hostRegistry.delete(method)
    }
    authority.replaceCommands(this.commands, this.pluginFiles)
  }

  /** Lists the commands of the app and of plugins that a label may call, or could with `allow`. @throws {BusError} InvalidParams */
  describe(label: string, allow?: AllowList): CommandDescription[] {
    const permits = this.#deps.getAffected().authority.getPermits(label, allow)
    const isShown = ({ owner, method }: RunnableCommand): boolean => owner !== 'core' && permits.permits(method)
    return [...this.#deps.registry.values()]
      .filter(isShown)
      .map(({ method, allow, describe }) => ({ command: method, permission: allow, ...describe?.() }))
      .toSorted((a, b) => (a.command < b.command ? -1 : 1))
  }

  #add({ name, commands, permissions }: HostPlugin): readonly RunnableCommand[] {
    checkPluginName(name)
    const isTaken = this.#plugins.has(name) || this.#deps.definition.plugins?.some(plugin => plugin.name === name)
    if (isTaken) throw new BusError('InvalidParams', `There are two plugins named ${name}`)
    const permissionOwners = new PermissionOwners()
    const runnable = Object.entries(commands).map(([command, content]): RunnableCommand => {
      const identity = toCommandIdentity(command, name)
      const { method } = identity
      checkCommandName(command, method)
      permissionOwners.check(identity)
      const run = composeRun(method, this.#deps.definition.use ?? [], undefined, (args, call) =>
        this.#deps.sessions.callHost(method, args, { signal: call.signal }, isStream(call)),
      )
      return { ...identity, run, describe: () => content }
    })
    for (const command of runnable) this.#deps.registry.set(command.method, command)
    const files = getPluginFiles({ plugins: [{ name, permissions }] })
    this.#plugins.set(name, { files, commands: runnable })
    return runnable
  }

  #forget(name: string): readonly RunnableCommand[] | undefined {
    const plugin = this.#plugins.get(name)
    this.#plugins.delete(name)
    for (const { method } of plugin?.commands ?? []) this.#deps.registry.delete(method)
    return plugin?.commands
  }
}
