// Which commands need no capability.
import { APP_KEY } from './acl.js'
import type { Pattern } from './capability.js'
import type { Catalogue } from './catalogue.js'
import type { CommandName } from './acl.js'
import { OPEN_COMMANDS } from './core-permissions.js'
import type { ResolvedCapability } from './resolve.js'

/**
 * Whether somebody decides who may call the app's commands: a capability names one, or permission files of the app's own say
 * so.
 */
export const isDecided = (capabilities: readonly ResolvedCapability[], { plugins }: Catalogue): boolean =>
  plugins.get(APP_KEY)?.described === true || capabilities.some(each => each.namesAppCommand)

/**
 * Events, paths, the app's own data and resources: always. The app's commands: in the brownfield pattern, until that is
 * decided. Plugins' commands: never.
 */
export function opennessOf(decided: boolean, pattern: Pattern): (command: CommandName) => boolean {
  const appIsOpen = pattern === 'brownfield' && !decided
  return ({ method, owner }) => (owner === 'core' ? OPEN_COMMANDS.has(method) : owner === 'app' && appIsOpen)
}
