// What all capabilities together give one label, with who gives it.
import type { ScopeValues } from './entry.js'
import type { ResolvedCapability } from './resolve.js'
import { EMPTY_SCOPE, createScope, type CommandScope, type Scope } from './scope.js'

/** That a command is allowed or denied, and by what. */
export interface Grant {
  readonly capability: string
  readonly permission: string
  readonly scope: ScopeValues | undefined
}

export interface Access {
  readonly allowed: ReadonlyMap<string, readonly Grant[]>
  readonly denied: ReadonlyMap<string, readonly Grant[]>
  /** Each plugin's global scope, of the permissions that name no command. */
  readonly global: ReadonlyMap<string, Scope>
}

export function accessOf(label: string, capabilities: readonly ResolvedCapability[]): Access {
  return merge(capabilities.filter(capability => capability.holdsFor(label)))
}

/** Of these, whomever they hold for. */
export function merge(capabilities: readonly ResolvedCapability[]): Access {
  const [allowed, denied] = [new Map<string, Grant[]>(), new Map<string, Grant[]>()]
  const global = new Map<string, ScopeValues[]>()
  for (const { capability, permissions, globalScopes } of capabilities) {
    for (const permission of permissions) {
      const grant = { capability: capability.identifier, permission: permission.identifier, scope: permission.scope }
      for (const command of permission.allow) push(allowed, command, grant)
      for (const command of permission.deny) push(denied, command, grant)
    }
    for (const { key, scope } of globalScopes) push(global, key, scope)
  }
  return { allowed, denied, global: new Map([...global].map(([key, scopes]) => [key, scopeOf(scopes)])) }
}

/** Of a command that these allow, in a plugin with this global scope. The same objects go to every call: they are frozen. */
export function commandScope(grants: readonly Grant[], global: Scope = EMPTY_SCOPE.global): CommandScope {
  // Permissions of one entry share their scope.
  const scopes = new Set(grants.flatMap(({ scope }) => scope ?? []))
  return Object.freeze({ ...scopeOf([...scopes]), global })
}

function scopeOf(scopes: readonly ScopeValues[]): Scope {
  if (scopes.length === 0) return EMPTY_SCOPE.global
  const [allow, deny] = [scopes.flatMap(scope => scope.allow), scopes.flatMap(scope => scope.deny)]
  return createScope(allow, deny)
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
