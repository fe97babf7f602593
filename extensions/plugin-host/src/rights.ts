// What a plugin requests: permissions and the network; and what of it is new, or granted.
import type { ScopedPermission } from '@sallyport/core/internal'

/** A version of a package. */
export interface PluginId {
  /** Name, as `@acme/x`. */
  readonly name: string
  /** Version, as `1.2.3`. */
  readonly version: string
}

/** A permission or command, or one with values for its scope. */
export type RequestedPermission = string | ScopedPermission

/** What a plugin can do in addition to running in its sandbox. */
export interface Rights {
  /** As in the option `allow` of a frontend, or names of the option `permissions`. */
  permissions: readonly RequestedPermission[]
  /** Whether it may use the network. */
  net: boolean
}

export const getPermissionName = (entry: RequestedPermission): string =>
  typeof entry === 'string' ? entry : entry.permission

const toKey = (entry: RequestedPermission): string =>
  typeof entry === 'string' ? entry : JSON.stringify([entry.permission, entry.allow ?? [], entry.deny ?? []])

/** Returns the permissions of `rights` that `other` has, or those that it does not have; the network likewise. */
export function select(rights: Rights, isIn: boolean, other: Rights): Rights {
  const keys = new Set(other.permissions.map(toKey))
  const permissions = rights.permissions.filter(entry => keys.has(toKey(entry)) === isIn)
  return { permissions, net: rights.net && other.net === isIn }
}

export const isNothing = ({ permissions, net }: Rights): boolean => permissions.length === 0 && !net
