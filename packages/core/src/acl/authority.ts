// Decides who may call what, once per frontend and command: a call then costs one look-up. The rules are Tauri's, but that a
// deny holds for the labels of its capability alone.
import { BusError } from '@sallyport/protocol'
import { didYouMean, isDevelopment } from '../shared/suggest.js'
import { getCommandKey } from './catalogue.js'
import { denialText, explainedDenial } from './denial.js'
import type { ExplainedFrontend } from './explain.js'
import {
  type Access,
  getAccess,
  type AclDeps,
  commandScope,
  inOrder,
  isRestricted,
  merge,
  getDefaultPolicy,
  resolveAll,
  resolveCapability,
  type ResolvedCapability,
  getResolveOptions,
} from './resolve.js'
import { type CommandScope, EMPTY_SCOPE, type Scope } from './scope.js'
import { misnamedCommands } from './suggest.js'
import type { CapabilityChanges, CapabilitySource, CommandName, Pattern } from './types.js'

/** What one frontend may call. */
export interface Permits {
  /** `undefined` where the command may be called, else why it may not. */
  check(command: CommandName): BusError | undefined
  /** The same frozen object for every call, until the capabilities change. */
  scopeOf(command: CommandName): CommandScope
}

/** The host's own link may do what core may. */
export const HOST_PERMITS: Permits = { check: () => undefined, scopeOf: () => EMPTY_SCOPE }

export interface Authority {
  /** Follows every change of the capabilities. */
  permitsOf(label: string): Permits
  /** A plugin's global scope of all capabilities together, whomever they hold for: what its setup is given. */
  globalScopeOf(plugin: string): Scope
  /**
   * From the next call on. A capability that is wrong changes nothing.
   *
   * @throws BusError `InvalidParams` for a mistake in it, and for an identifier that another has
   */
  add(source: CapabilitySource): void
  /** @throws BusError `InvalidParams` where there is none of this name */
  remove(identifier: string): void
  /** Some capability names an app command, or one that is gone did: none is open for want of a capability. */
  readonly isDecided: boolean
  /** What these may call now, and by what. */
  explain(labels: readonly string[]): Promise<ExplainedFrontend[]>
  /** Does again what was done at run time before. */
  restore(changes: CapabilityChanges): void
}

export interface AuthorityInput extends AclDeps {
  pattern: Pattern
}

/** @throws BusError `InvalidParams` for whatever is wrong in capabilities, permission files and manifests. */
export function createAuthority({ pattern, commands: given, ...parts }: AuthorityInput): Authority {
  const commands = [...given]
  const options = getResolveOptions({ ...parts, commands })
  const { catalogue } = options
  misnamedCommands(catalogue, commands).forEach(parts.warn)
  let capabilities: readonly ResolvedCapability[] = resolveAll(parts.acl.capabilities, options)
  let decided = isRestricted(capabilities, catalogue)
  let isOpen = getDefaultPolicy(decided, pattern)
  let version = 0
  const change = (changed: readonly ResolvedCapability[]): void => {
    capabilities = changed
    // It stays decided: to take a right from one must not give all of them to everybody.
    decided ||= isRestricted(capabilities, catalogue)
    isOpen = getDefaultPolicy(decided, pattern)
    version++
  }

  const verdictOf = (command: CommandName, label: string, access: Access): Verdict => {
    const { allowed, denied, global } = access
    const grants = allowed.get(command.method) ?? []
    if (!denied.has(command.method) && (grants.length > 0 || isOpen(command))) {
      return { denial: undefined, scope: commandScope(grants, global.get(getCommandKey(command))) }
    }
    const details = { label, access, capabilities, catalogue }
    return { denial: isDevelopment ? explainedDenial(command, details) : denialText(command), scope: EMPTY_SCOPE }
  }

  return {
    permitsOf(label: string): Permits {
      const verdicts = new Map<CommandName, Verdict>()
      let access: Access | undefined
      let seen = version
      const verdict = (command: CommandName): Verdict => {
        if (seen !== version) {
          seen = version
          access = undefined
          verdicts.clear()
        }
        const known = verdicts.get(command)
        if (known) return known
        const made = verdictOf(command, label, (access ??= getAccess(label, capabilities)))
        verdicts.set(command, made)
        return made
      }
      return {
        check(command: CommandName): BusError | undefined {
          const { denial } = verdict(command)
          return denial === undefined ? undefined : new BusError('Denied', denial)
        },
        scopeOf: command => verdict(command).scope,
      }
    },
    globalScopeOf: plugin =>
      merge(capabilities.filter(({ isActive }) => isActive)).global.get(plugin) ?? EMPTY_SCOPE.global,
    add(source: CapabilitySource): void {
      change(inOrder([...capabilities, resolveCapability(source, options)]))
    },
    remove(identifier: string): void {
      const left = capabilities.filter(({ capability }) => capability.identifier !== identifier)
      if (left.length === capabilities.length) {
        const names = capabilities.map(({ capability }) => capability.identifier)
        const text = `no capability ${JSON.stringify(identifier)}${didYouMean(identifier, names)}`
        throw new BusError('InvalidParams', `bus.removeCapability: ${text}`)
      }
      change(left)
    },
    get isDecided(): boolean {
      return decided
    },
    async explain(labels) {
      // Nobody who serves calls needs it.
      const { explainFrontend } = await import('./explain.js')
      return labels.map(label => explainFrontend(label, capabilities, commands, isOpen))
    },
    restore({ added, removed, ...before }: CapabilityChanges): void {
      decided ||= before.decided
      const kept = capabilities.filter(({ capability }) => !removed.has(capability.identifier))
      const again = [...added.values()].map(value => resolveCapability({ value, from: 'bus.addCapability' }, options))
      change(inOrder([...kept, ...again]))
    },
  }
}

interface Verdict {
  denial: string | undefined
  scope: CommandScope
}
