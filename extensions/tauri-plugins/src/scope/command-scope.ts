// The scope of a call as paths: the entries of its permissions, compiled once.
import type { CommandContext, CommandScope } from '@sallyport/core'
import { PathScope, type PathScopeEntries, type PathScopeOptions } from '@sallyport/paths/internal'

/** Returns the entries of the command, and of all commands of its plugin. */
export const getEntries = ({ allow, deny, global }: CommandScope): PathScopeEntries => ({
  allow: [...allow, ...global.allow],
  deny: [...deny, ...global.deny],
})

/** Compiled scopes. Core gives each call of a frontend's command the same object until its capabilities change. */
const compiled = new WeakMap<CommandScope, { scope: PathScope; options: PathScopeOptions; own: string | undefined }>()

/** Returns the compiled scope of a call. @param own - the caller's own directory @throws {Error} like `PathScope` */
export function getPathScope(
  { scope, app }: Pick<CommandContext, 'scope' | 'app'>,
  options: PathScopeOptions,
  own?: string,
): PathScope {
  const known = compiled.get(scope)
  if (known?.options === options && known.own === own) return known.scope
  const created = new PathScope(getEntries(scope), app.path, options, own)
  compiled.set(scope, { scope: created, options, own })
  return created
}
