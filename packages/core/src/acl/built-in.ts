// The rights that the bus itself gives, as capabilities. Those of the app can deny them.
import { type ResolvedCapability, resolveCapability, type ResolveOptions, withAppCommands } from './resolve.js'
import { PERMISSIONS_OF_ALL } from './tauri-permissions.js'
import { type AclInput, APP_KEY, BUILT_IN } from './types.js'

export interface BuiltInCapabilities {
  /** For every frontend. */
  readonly everyone: readonly ResolvedCapability[]
  /** For trusted code that no capability names, and that has no `allow`. */
  readonly trusted: ResolvedCapability
}

/** In a Tauri project all code has the same rights, as in Tauri: app commands need a permission only if the app defines some. */
export function createBuiltIns({ isTauriProject }: AclInput, options: ResolveOptions): BuiltInCapabilities {
  const resolve = (identifier: string, permissions: readonly string[]): ResolvedCapability =>
    resolveCapability({ value: { identifier, windows: ['*'], permissions }, from: BUILT_IN }, options)
  const base = resolve(BUILT_IN, PERMISSIONS_OF_ALL)
  if (!isTauriProject) {
    return { everyone: [base], trusted: withAppCommands(resolve('(trusted code)', ['core:default']), options) }
  }
  const isOpen = options.catalogue.plugins.get(APP_KEY)?.described !== true
  const app = withAppCommands(resolve('(app without permissions)', []), options)
  return { everyone: isOpen ? [base, app] : [base], trusted: base }
}
