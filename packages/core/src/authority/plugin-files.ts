// The permissions that the plugins of a core module bring, as if each were a file.
import type { PermissionFileSource } from './acl.js'

interface Definition {
  readonly plugins?: readonly { readonly name: string; readonly permissions?: readonly unknown[] }[]
}

export function pluginFilesOf({ plugins = [] }: Definition): PermissionFileSource[] {
  return plugins.flatMap(({ name, permissions = [] }) =>
    permissions.map((value, index) => ({ value, plugin: name, from: `plugin ${name}: permissions[${index}]` })),
  )
}
