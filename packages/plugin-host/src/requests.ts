// What a plugin requests: permissions and the network; and what of it is new, or granted.
import type { ScopedPermission } from '@sallyport/core'

/** A permission or command, or one with values for its scope. */
export type RequestedPermission = string | ScopedPermission

/** What a plugin can do in addition to running in its sandbox. */
export interface Rights {
  /** Permissions and commands, as in the option `allow` of a frontend, or names of the option `permissions`. */
  permissions: readonly RequestedPermission[]
  /** Whether it may use the network. */
  net: boolean
}

/** Returns the same text for the same permission. */
const toKey = (entry: RequestedPermission): string =>
  typeof entry === 'string' ? entry : JSON.stringify([entry.permission, entry.allow ?? [], entry.deny ?? []])

/** Returns those of `rights` that `known` does not have. */
export function subtract(rights: Rights, known: Rights): Rights {
  const keys = new Set(known.permissions.map(toKey))
  return {
    permissions: rights.permissions.filter(entry => !keys.has(toKey(entry))),
    net: rights.net && !known.net,
  }
}

export const isNothing = ({ permissions: { length }, net }: Rights): boolean => length === 0 && !net

export const getPermissionName = (entry: RequestedPermission): string =>
  typeof entry === 'string' ? entry : entry.permission
