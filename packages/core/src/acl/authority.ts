// Decides who may call which command, once per frontend and command, so that a call costs one lookup. A frontend has what capabilities
// for its label and its `allow` name, and no other frontend's rights matter. The rules are Tauri's, except that a deny applies only to
// the labels of its capability.
import { BusError, didYouMean } from '@sallyport/protocol/internal/errors'
import { isDevelopment } from '@sallyport/protocol/internal/util'
import {
  createBuiltIns,
  getAccess,
  getCommandScope,
  getResolveOptions,
  type Grant,
  resolveAll,
  resolveAllowList,
  resolveCapability,
  type ResolvedCapability,
  sortCapabilities,
  toAccess,
} from './resolve.js'
import { type AclDeps, findMisnamedCommands, getCommandKey } from './catalogue.js'
import type { ExplainedFrontend } from './explain.js'
import {
  type AllowList,
  type CapabilityChanges,
  type CapabilitySource,
  type CommandIdentity,
  type CommandScope,
  EMPTY_SCOPE,
  type PermissionFileSource,
  type RightsSource,
  type Scope,
} from './types.js'

export interface Permits {
  /** False for a command that does not exist. @param method - `greet`, `plugin:fs|read_text_file` */
  permits(method: string): boolean
  check(command: CommandIdentity): BusError | undefined
  /** Returns how to change the capabilities if the command is denied. Only for the host: the text names permissions. */
  getHint(command: CommandIdentity): string
  /** Returns the same frozen object for every call until the capabilities change. */
  getScope(command: CommandIdentity): CommandScope
  /** Returns the scope of a command by its method, empty for a command that is denied or does not exist. */
  getScopeByMethod(method: string): CommandScope
}

/** Permissions of the host's own link, which may do whatever core may do. */
export const HOST_PERMITS: Permits = {
  permits: () => true,
  check: () => undefined,
  getHint: () => '',
  getScope: () => EMPTY_SCOPE,
  getScopeByMethod: () => EMPTY_SCOPE,
}

export interface FrontendRights {
  readonly allow?: AllowList | undefined
  /** It has the rights of the host: without `allow`, and unless a capability names or has named it, it may call every command of the app. */
  readonly isTrusted?: boolean | undefined
  readonly runsOnce?: boolean | undefined
  readonly rightsSource?: RightsSource | undefined
}

export interface Authority {
  /**
   * Returns what a frontend with this label has by capabilities and `allow` alone. All permissions follow every change of the capabilities.
   *
   * @throws {BusError} InvalidParams for an unknown entry of `allow`
   */
  getPermits(label: string, allow?: AllowList): Permits
  /**
   * Adds a frontend of this host, and returns its permissions. They belong to it, and not to its label: what it has sent can be read when another
   * frontend has the label. For a further link of the frontend they are those of the first.
   *
   * @throws {BusError} InvalidParams for an unknown entry of `allow`
   */
  addFrontend(frontend: number, label: string, rights: FrontendRights): Permits
  /** Forgets a frontend. Its permissions stay as they are for handlers that go on. */
  removeFrontend(frontend: number): void
  /** Returns the permissions of the frontend that has this label now. */
  getPermitsOfLatest(label: string): Permits
  /** Returns what capabilities allow this label, apart from those for `*`: commands, also those that all have with another scope, and global scopes. */
  listOwnRights(label: string): string[]
  /** Returns a plugin's global scope over all capabilities, whatever labels they apply to. The plugin's `setup` receives it. */
  getGlobalScope(plugin: string): Scope
  /** Adds a capability, effective from the next call. An invalid one changes nothing. @throws {BusError} InvalidParams */
  add(source: CapabilitySource): void
  /**
   * Removes a capability. The trusted frontends that it names stay limited.
   *
   * @throws {BusError} InvalidParams if there is no capability with this identifier
   */
  remove(identifier: string): void
  explain(label: string): Promise<ExplainedFrontend>
  restore(changes: CapabilityChanges): void
  /**
   * Replaces the commands and the permission files of plugins. Capabilities and `allow` that name them apply to the new ones; one that no
   * longer can be resolved keeps what it meant before. An invalid file changes nothing.
   *
   * @throws {BusError} InvalidParams
   */
  replaceCommands(commands: Iterable<CommandIdentity>, pluginFiles: readonly PermissionFileSource[]): void
}

/** @throws {BusError} InvalidParams if a capability, permission file or manifest is invalid */
export const createAuthority = (deps: AclDeps): Authority => new ResolvedAuthority(deps)

class ResolvedAuthority implements Authority {
  readonly #sources: Omit<AclDeps, 'commands'>
  #options: ReturnType<typeof getResolveOptions>
  #builtIn: ReturnType<typeof createBuiltIns>
  #methods: ReadonlyMap<string, CommandIdentity>
  readonly #initial: readonly ResolvedCapability[]
  #capabilities: readonly ResolvedCapability[]
  /** The frontends of this host, by number. The app chooses the identifiers in `capabilities`, so these stay apart. */
  readonly #frontends = new Map<number, KnownRights>()
  #version = 0

  constructor({ commands, ...sources }: AclDeps) {
    this.#sources = sources
    this.#options = getResolveOptions({ ...sources, commands })
    findMisnamedCommands(this.#options.catalogue, this.#options.commands).forEach(sources.warn)
    this.#builtIn = createBuiltIns(sources.acl, this.#options)
    this.#methods = new Map(this.#options.commands.map(command => [command.method, command]))
    this.#initial = this.#capabilities = resolveAll(sources.acl.capabilities, this.#options)
  }

  getPermits(label: string, allow?: AllowList): Permits {
    return this.#createPermits(label, allow && { listed: resolveAllowList(label, allow, this.#options) })
  }

  addFrontend(frontend: number, label: string, rights: FrontendRights): Permits {
    let known = this.#frontends.get(frontend)
    if (!known) {
      const { allow, isTrusted, runsOnce, rightsSource } = rights
      const listed = allow && resolveAllowList(label, allow, this.#options)
      known = { label, allow, isTrusted, runsOnce, rightsSource, listed }
      this.#frontends.set(frontend, known)
    }
    return this.#createPermits(label, known)
  }

  removeFrontend(frontend: number): void {
    const known = this.#frontends.get(frontend)
    // Later removals of capabilities do not reach it.
    if (known?.isTrusted) known.isTrusted = !this.#isNamed(known.label)
    this.#frontends.delete(frontend)
  }

  getPermitsOfLatest(label: string): Permits {
    return this.#createPermits(label, this.#getLatest(label))
  }

  #createPermits(label: string, rights: Partial<KnownRights> | undefined): Permits {
    const decisions = new Map<CommandIdentity, Decision>()
    let seen = this.#version
    const decide = (command: CommandIdentity): Decision => {
      if (seen !== this.#version) {
        seen = this.#version
        decisions.clear()
      }
      let known = decisions.get(command)
      if (!known) decisions.set(command, (known = this.#decide(command, label, rights)))
      return known
    }
    return {
      permits: method => {
        const command = this.#methods.get(method)
        return command !== undefined && decide(command).denial === undefined
      },
      check(command) {
        const { denial } = decide(command)
        return denial === undefined ? undefined : new BusError('Denied', denial, { code: 'NOT_ALLOWED' })
      },
      getHint: command => decide(command).hint,
      getScope: command => decide(command).scope,
      getScopeByMethod: method => {
        const command = this.#methods.get(method)
        return command === undefined ? EMPTY_SCOPE : decide(command).scope
      },
    }
  }

  getGlobalScope(plugin: string): Scope {
    return toAccess(this.#capabilities.filter(({ isActive }) => isActive)).global.get(plugin) ?? EMPTY_SCOPE.global
  }

  listOwnRights(label: string): string[] {
    const isForAll = ({ capability: { windows = [], webviews = [] } }: ResolvedCapability): boolean =>
      [...windows, ...webviews].includes('*')
    const { denied } = getAccess(label, this.#capabilities)
    const own = this.#capabilities.filter(each => !isForAll(each))
    const { allowed, global } = getAccess(label, own)
    const scopes = [...global].filter(([, { allow }]) => allow.length > 0).map(([key]) => `${key}:scope`)
    return [...[...allowed.keys()].filter(method => !denied.has(method)), ...scopes]
  }

  add(source: CapabilitySource): void {
    this.#change(sortCapabilities([...this.#capabilities, resolveCapability(source, this.#options)]))
  }

  remove(identifier: string): void {
    const removed = this.#capabilities.find(({ capability }) => capability.identifier === identifier)
    if (!removed) {
      const names = this.#capabilities.map(({ capability }) => capability.identifier)
      const text = `no capability ${JSON.stringify(identifier)}${didYouMean(identifier, names)}`
      throw new BusError('InvalidParams', `bus.removeCapability: ${text}`)
    }
    // The host remembers that for the next core.
    for (const each of this.#frontends.values()) if (removed.names(each.label)) each.isTrusted = false
    this.#change(this.#capabilities.filter(each => each !== removed))
  }

  async explain(label: string): Promise<ExplainedFrontend> {
    // Loaded on demand: serving calls does not need it.
    const { explainFrontend } = await import('./explain.js')
    return explainFrontend(label, this.#getCapabilities(label, this.#getLatest(label)), this.#options.commands)
  }

  restore(changes: CapabilityChanges): void {
    // They were accepted before, maybe with a plugin that has come back without one of its commands.
    const accepted = { ...this.#options, ignored: 'any' as const, absent: new Set<string>(), warn: () => {} }
    const again = (value: unknown): ResolvedCapability =>
      resolveCapability({ value, from: 'bus.addCapability', isOption: true }, accepted)
    const kept = this.#capabilities.filter(({ capability }) => !changes.removed.has(capability.identifier))
    this.#change(sortCapabilities([...kept, ...Array.from(changes.added.values(), again)]))
  }

  replaceCommands(commands: Iterable<CommandIdentity>, pluginFiles: readonly PermissionFileSource[]): void {
    // Their warnings have been logged when they were first resolved. A plugin can come back, also with other commands, and that is no mistake: what
    // else a list allows and denies holds.
    const next = getResolveOptions({ ...this.#sources, commands, pluginFiles, warn: () => {} }, 'any')
    // The lists of `next` have warned nobody.
    const { ignored, absent } = this.#options
    this.#options = { ...next, ignored, absent, warn: this.#sources.warn, allowLists: new Map() }
    this.#builtIn = createBuiltIns(this.#sources.acl, next)
    this.#methods = new Map(next.commands.map(command => [command.method, command]))
    for (const each of this.#frontends.values()) {
      const { label, allow, listed: before } = each
      if (allow) each.listed = this.#resolveAgain(() => resolveAllowList(label, allow, next), before)
    }
    this.#change(this.#capabilities.map(each => this.#resolveAgain(() => resolveCapability(each.source, next), each)))
  }

  #resolveAgain<T>(resolve: () => T, before: T): T {
    try {
      return resolve()
    } catch (error) {
      this.#sources.warn(`${(error as Error).message}. It keeps what it allowed and denied before`)
      return before
    }
  }

  #change(changed: readonly ResolvedCapability[]): void {
    this.#capabilities = changed
    this.#version++
  }

  #getLatest(label: string): KnownRights | undefined {
    return [...this.#frontends.values()].findLast(each => each.label === label)
  }

  /** A removal gives no rights, so initial capabilities count after their removal too. */
  #isNamed(label: string): boolean {
    return [...this.#initial, ...this.#capabilities].some(each => each.names(label))
  }

  #getCapabilities(label: string, rights: Partial<KnownRights> = {}): readonly ResolvedCapability[] {
    const { listed, isTrusted } = rights
    const further = listed ?? (isTrusted && !this.#isNamed(label) ? this.#builtIn.trusted : undefined)
    return [...this.#builtIn.everyone, ...this.#capabilities, ...(further ? [further] : [])]
  }

  #decide(command: CommandIdentity, label: string, rights: Partial<KnownRights> | undefined): Decision {
    // Not kept: it names every command of the label, and a session calls few of them.
    const { denied, global, allowed } = getAccess(label, this.#getCapabilities(label, rights))
    const grants = allowed.get(command.method) ?? []
    if (!denied.has(command.method) && grants.length > 0) {
      return { denial: undefined, hint: '', scope: getCommandScope(grants, global.get(getCommandKey(command))) }
    }
    const text = getDenialText(command)
    const hint =
      rights?.rightsSource && !denied.has(command.method)
        ? this.#getSourceHint(command, label, rights.rightsSource)
        : getDenialHint(command, label, rights, denied.get(command.method))
    return { denial: isDevelopment() ? `${text}: ${hint}` : text, hint, scope: EMPTY_SCOPE }
  }

  #getSourceHint(command: CommandIdentity, label: string, { place, rights, isComplete }: RightsSource): string {
    const right = rights.find(({ entries }) => this.#allows(label, entries, command))
    if (right?.isAsked) return `grant ${JSON.stringify(right.name)}, for which it asks in ${place}`
    const name = right ? JSON.stringify(right.name) : getName(command)
    const added = `add ${name} to ${place}, and grant it`
    return right || !isComplete ? added : `add ${name} to a name in the option "permissions" of openPlugins`
  }

  #allows(label: string, entries: AllowList['entries'], { method }: CommandIdentity): boolean {
    try {
      const own = resolveAllowList(label, { entries, from: 'permissions' }, this.#options)
      return getAccess(label, [own]).allowed.has(method)
    } catch {
      // A command or permission is gone since the plugin was opened.
      return false
    }
  }
}

interface KnownRights extends FrontendRights {
  readonly label: string
  isTrusted?: boolean | undefined
  listed: ResolvedCapability | undefined
}

type Decision = { denial: string | undefined; hint: string; scope: CommandScope }

export const getDenialText = ({ method }: CommandIdentity): string => `Command ${method} not allowed by ACL`

/** What `allow` calls it. */
const getName = ({ owner, method, allow }: CommandIdentity): string => JSON.stringify(owner === 'app' ? method : allow)

/** @param local - undefined for code on a network, which has no options */
function getDenialHint(
  command: CommandIdentity,
  label: string,
  local: Partial<KnownRights> | undefined,
  denied: readonly Grant[] | undefined,
): string {
  const isRun = local?.runsOnce === true
  // A run that has no label of its own has a number, which the next one does not have.
  const quoted = JSON.stringify(isRun ? label.replace(/^run-\d+$/, 'run-*') : label)
  if (denied) {
    const names = [...new Set(denied.map(({ permission }) => JSON.stringify(permission)))].join(', ')
    return `${names} is among the permissions of a capability for ${quoted}`
  }
  const inCapability = `add ${JSON.stringify(command.allow)} to the permissions of a capability whose windows match ${quoted}`
  if (!local) return inCapability
  const inOption = `add ${getName(command)} to the option "allow" of ${isRun ? 'bus.run' : `the frontend ${quoted}`}`
  return local.listed ? inOption : `${inOption}, or ${inCapability}`
}
