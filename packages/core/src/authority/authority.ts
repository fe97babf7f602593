// Decides who may call what, once per frontend: a call then costs one look-up. The rules are Tauri's, but that a deny
// holds for the labels of its capability alone.
import { BusError } from '@sallyport/protocol'
import type { CommandRegistry, RunnableCommand } from '../commands.js'
import { isDevelopment } from '../mode.js'
import type { Capability, Pattern } from './capability.js'
import { labelMatcher } from './label-glob.js'
import { EMPTY_SCOPE, type CommandScope } from './scope.js'
import { permissionsIn, permissionsOfAll, type Permission } from './permissions.js'

/** What one frontend may call. */
export interface Permits {
  /** `undefined` where the command may be called, else why it may not. */
  check(command: RunnableCommand): BusError | undefined
  scopeOf(command: RunnableCommand): CommandScope
}

/** The host's own link may do what core may. */
export const HOST_PERMITS: Permits = { check: () => undefined, scopeOf: () => EMPTY_SCOPE }

export interface Authority {
  permitsOf(label: string): Permits
}

interface ResolvedCapability {
  holdsFor(label: string): boolean
  permissions: Permission[]
}

/** @throws BusError `InvalidParams` where a capability names what does not exist. */
export function createAuthority(
  capabilities: readonly Capability[],
  registry: CommandRegistry,
  pattern: Pattern,
): Authority {
  const known = permissionsOfAll(registry)
  const resolved = capabilities.map(capability => resolve(capability, known))
  const namesAppCommand = resolved.some(({ permissions }) => permissions.some(({ command }) => command.owner === 'app'))
  const appCommandsAreOpen = pattern === 'brownfield' && !namesAppCommand
  const isOpen = ({ owner }: RunnableCommand): boolean => owner === 'core' || (owner === 'app' && appCommandsAreOpen)

  return {
    permitsOf(label: string): Permits {
      const mine = resolved.filter(capability => capability.holdsFor(label)).flatMap(({ permissions }) => permissions)
      const named = (effect: Permission['effect']): Set<RunnableCommand> =>
        new Set(mine.filter(permission => permission.effect === effect).map(({ command }) => command))
      const denied = named('deny')
      const allowed = named('allow')
      return {
        check(command: RunnableCommand): BusError | undefined {
          if (!denied.has(command) && (isOpen(command) || allowed.has(command))) return undefined
          return denial(command, label, denied.has(command))
        },
        scopeOf: () => EMPTY_SCOPE,
      }
    },
  }
}

function resolve(capability: Capability, known: ReadonlyMap<string, Permission[]>): ResolvedCapability {
  const globs = (capability.windows ?? []).map(labelMatcher)
  return {
    holdsFor: label => globs.some(matches => matches(label)),
    permissions: permissionsIn(capability, known),
  }
}

/** Tauri's text; in development with what would change it. */
function denial({ method, allow, deny }: RunnableCommand, label: string, explicitly: boolean): BusError {
  const text = `Command ${method} not allowed by ACL`
  if (!isDevelopment) return new BusError('Denied', text)
  const hint = explicitly
    ? `${JSON.stringify(deny)} is among the permissions of a capability for ${JSON.stringify(label)}`
    : `add ${JSON.stringify(allow)} to the permissions of a capability whose windows match ${JSON.stringify(label)}`
  return new BusError('Denied', `${text}: ${hint}`)
}
