// Decides who may call which command, once per frontend and command, so that a call costs one lookup. The rules are Tauri's, except
// that a deny applies only to the labels of its capability.
import { BusError, isDevelopment } from '@sallyport/protocol/internal'
import { didYouMean } from '../shared/suggest.js'
import { type AclDeps, getCommandKey } from './catalogue.js'
import { getDenialHint, getDenialText, explainDenial } from './denial.js'
import type { ExplainedFrontend } from './explain.js'
import {
  getAccess,
  getCommandScope,
  sortCapabilities,
  isRestricted,
  toAccess,
  isOpenByDefault,
  resolveAll,
  resolveAllowList,
  resolveCapability,
  getResolveOptions,
} from './resolve.js'
import type { Access, ResolvedCapability } from './resolve.js'
import { type CommandScope, EMPTY_SCOPE, type Scope } from './scope.js'
import { findMisnamedCommands } from './suggest.js'
import type { AllowList, CapabilityChanges, CapabilitySource, CommandIdentity, Pattern } from './types.js'

export interface Permits {
  /** Returns `undefined` if the frontend may call the command, otherwise the denial. */
  check(command: CommandIdentity): BusError | undefined
  /** Returns how to change the capabilities if the command is denied. Only for the host: the text names permissions. */
  getHint(command: CommandIdentity): string
  /** Returns the same frozen object for every call until the capabilities change. */
  getScope(command: CommandIdentity): CommandScope
}

/** Permissions of the host's own link, which may do whatever core may do. */
export const HOST_PERMITS: Permits = { check: () => undefined, getHint: () => '', getScope: () => EMPTY_SCOPE }

export interface Authority {
  /** Returns permissions that follow every change of the capabilities. */
  getPermits(label: string): Permits
  /** Returns a plugin's global scope over all capabilities, whatever labels they apply to. The plugin's `setup` receives it. */
  getGlobalScope(plugin: string): Scope
  /** Adds a capability, effective from the next call. An invalid one changes nothing. @throws {BusError} InvalidParams */
  add(source: CapabilitySource): void
  /** @throws {BusError} InvalidParams if there is no capability with this identifier */
  remove(identifier: string): void
  /** Replaces or removes the commands that `allow` of a frontend names. A list restricts app commands. @throws {BusError} InvalidParams */
  allow(label: string, list: AllowList | undefined): void
  /** True while the core has app commands that every frontend may call. */
  readonly isOpen: boolean
  /** True once a capability has named an app command, even if it was removed later: app commands need a capability. */
  readonly isRestricted: boolean
  /** Lists what these labels may call now, and which permission allows it. */
  explain(labels: readonly string[]): Promise<ExplainedFrontend[]>
  restore(changes: CapabilityChanges): void
}

/** @throws {BusError} InvalidParams if a capability, permission file or manifest is invalid */
export function createAuthority({ pattern, commands: names, ...sources }: AclDeps & { pattern: Pattern }): Authority {
  const options = getResolveOptions({ ...sources, commands: names })
  const { catalogue, commands } = options
  findMisnamedCommands(catalogue, commands).forEach(sources.warn)
  let capabilities: readonly ResolvedCapability[] = resolveAll(sources.acl.capabilities, options)
  /** Capabilities of frontends with `allow`, by label. The app chooses the identifiers in `capabilities`, so these stay apart. */
  const allowed = new Map<string, ResolvedCapability>()
  // Stays true after a removal: taking a right from one frontend must not open all commands to every frontend.
  let restricted = sources.acl.isRestricted === true || isRestricted(capabilities, catalogue)
  let version = 0
  const isOpen = (command: CommandIdentity): boolean => isOpenByDefault(command, restricted, pattern)
  const change = (changed: readonly ResolvedCapability[]): void => {
    capabilities = changed
    restricted ||= isRestricted(changed, catalogue)
    version++
  }
  const getCapabilities = (label: string): readonly ResolvedCapability[] => {
    const listed = allowed.get(label)
    return listed ? [...capabilities, listed] : capabilities
  }

  const decide = (command: CommandIdentity, label: string, access: Access): Decision => {
    const { denied, global } = access
    const grants = access.allowed.get(command.method) ?? []
    if (!denied.has(command.method) && (grants.length > 0 || isOpen(command))) {
      return { denial: undefined, hint: '', scope: getCommandScope(grants, global.get(getCommandKey(command))) }
    }
    const details = { label, isListed: allowed.has(label), access, capabilities: getCapabilities(label), catalogue }
    const denial = isDevelopment() ? explainDenial(command, details) : getDenialText(command)
    return { denial, hint: getDenialHint(command, details), scope: EMPTY_SCOPE }
  }

  return {
    getPermits(label) {
      const decisions = new Map<CommandIdentity, Decision>()
      let access: Access | undefined
      let seen = version
      const getDecision = (command: CommandIdentity): Decision => {
        if (seen !== version) {
          seen = version
          access = undefined
          decisions.clear()
        }
        access ??= getAccess(label, getCapabilities(label))
        let known = decisions.get(command)
        if (!known) decisions.set(command, (known = decide(command, label, access)))
        return known
      }
      return {
        check(command) {
          const { denial } = getDecision(command)
          return denial === undefined ? undefined : new BusError('Denied', denial)
        },
        getHint: command => getDecision(command).hint,
        getScope: command => getDecision(command).scope,
      }
    },
    getGlobalScope: plugin =>
      toAccess(capabilities.filter(({ isActive }) => isActive)).global.get(plugin) ?? EMPTY_SCOPE.global,
    add: source => change(sortCapabilities([...capabilities, resolveCapability(source, options)])),
    remove(identifier) {
      const left = capabilities.filter(({ capability }) => capability.identifier !== identifier)
      if (left.length === capabilities.length) {
        const names = capabilities.map(({ capability }) => capability.identifier)
        const text = `no capability ${JSON.stringify(identifier)}${didYouMean(identifier, names)}`
        throw new BusError('InvalidParams', `bus.removeCapability: ${text}`)
      }
      change(left)
    },
    allow(label, list) {
      if (list) {
        allowed.set(label, resolveAllowList(label, list, options))
        restricted = true
      } else if (!allowed.delete(label)) return
      version++
    },
    get isOpen() {
      return commands.some(command => command.owner === 'app' && isOpen(command))
    },
    get isRestricted() {
      return restricted
    },
    async explain(labels) {
      // Loaded on demand: serving calls does not need it.
      const { explainFrontend } = await import('./explain.js')
      return labels.map(label => explainFrontend(label, getCapabilities(label), commands, isOpen))
    },
    restore({ added, removed, restricted: wasRestricted }) {
      restricted ||= wasRestricted
      const kept = capabilities.filter(({ capability }) => !removed.has(capability.identifier))
      const again = Array.from(added.values(), value =>
        resolveCapability({ value, from: 'bus.addCapability', isOption: true }, options),
      )
      change(sortCapabilities([...kept, ...again]))
    },
  }
}

type Decision = { denial: string | undefined; hint: string; scope: CommandScope }
