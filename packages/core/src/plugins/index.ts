// All built-in commands: Tauri's core plugins, as far as they make sense without a GUI.
import type { Resources } from '../api/resources.js'
import type { AppInfo } from '../contract/control.js'
import type { EventRouter } from '../events/router.js'
import { type Surroundings, textPlatform } from '../path/directories.js'
import type { PathResolver } from '../path/resolver.js'
import { getCount } from '../rpc/arguments.js'
import type { RunnableCommand } from '../rpc/registry.js'
import { createAppCommands } from './app.js'
import { coreCommand } from './core-command.js'
import { createEventCommands } from './event.js'
import { createPathCommands } from './path.js'

// Tauri's resources plugin: `Resource.close()`.

/** @param appResources resources of the app, searched if the caller has no such resource */
function createResourceCommands(appResources: Resources): RunnableCommand[] {
  return [
    coreCommand('resources', 'close', async (args, { resources }, method) => {
      const rid = getCount(method, args, 'rid')
      await (appResources.has(rid) && !resources.has(rid) ? appResources : resources).close(rid)
    }),
  ]
}

// The commands of Tauri's window and webview plugins that make sense without a GUI. Each frontend is one window
// with one webview, both with its label.

function createWindowCommands(labels: () => readonly string[]): RunnableCommand[] {
  return [
    coreCommand('window', 'get_all_windows', () => labels()),
    coreCommand('webview', 'get_all_webviews', () => labels().map(label => ({ windowLabel: label, label }))),
  ]
}

export interface CoreCommandDeps {
  router: EventRouter
  appInfo: AppInfo
  /** Resources of the app. */
  resources: Resources
  path: PathResolver
  platform: Surroundings['platform']
  /** Returns the labels of the connected frontends. */
  labels: () => readonly string[]
}

export function createCoreCommands(parts: CoreCommandDeps): RunnableCommand[] {
  return [
    ...createEventCommands(parts.router),
    ...createPathCommands(parts.path, textPlatform(parts.platform), () => process.cwd()),
    ...createAppCommands(parts.appInfo),
    ...createResourceCommands(parts.resources),
    ...createWindowCommands(parts.labels),
  ]
}
