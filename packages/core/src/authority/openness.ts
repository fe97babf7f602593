// Which commands need no capability.
import { APP_KEY } from './acl.js'
import type { Pattern } from './capability.js'
import type { Catalogue, CommandName } from './catalogue.js'
import { OPEN_COMMANDS } from './core-permissions.js'
import type { ResolvedCapability } from './resolve.js'

/**
 * Events, paths, the app's own data and resources: always. The app's commands: in the brownfield pattern, until a capability
 * names one, or permission files of the app's own say that somebody decides. Plugins' commands: never.
 */
export function opennessOf(
  capabilities: readonly ResolvedCapability[],
  { plugins }: Catalogue,
  pattern: Pattern,
): (command: CommandName) => boolean {
  const isDecided = plugins.get(APP_KEY)?.described === true || capabilities.some(each => each.namesAppCommand)
  const appIsOpen = pattern === 'brownfield' && !isDecided
  return ({ method, owner }) => (owner === 'core' ? OPEN_COMMANDS.has(method) : owner === 'app' && appIsOpen)
}
