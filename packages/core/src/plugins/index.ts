// All commands that core has of its own: Tauri's core plugins, as far as they mean something here.
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

// Tauri's resources plugin: how `Resource.close()` closes what it stands for.

/** @param ofApp what is open for everybody: where the caller itself has no such resource, that is looked through */
function createResourceCommands(ofApp: Resources): RunnableCommand[] {
  return [
    coreCommand('resources', 'close', async (args, { resources }, method) => {
      const rid = getCount(method, args, 'rid')
      await (ofApp.has(rid) && !resources.has(rid) ? ofApp : resources).close(rid)
    }),
  ]
}

// Of Tauri's window and webview plugins, what means something without a GUI: which frontends there are. Each is one window
// with one webview, both under its label.

function createWindowCommands(labels: () => readonly string[]): RunnableCommand[] {
  return [
    coreCommand('window', 'get_all_windows', () => labels()),
    coreCommand('webview', 'get_all_webviews', () => labels().map(label => ({ windowLabel: label, label }))),
  ]
}

export interface CoreCommandDeps {
  router: EventRouter
  appInfo: AppInfo
  /** What is open for everybody. */
  resources: Resources
  path: PathResolver
  platform: Surroundings['platform']
  /** Of the frontends that there are. */
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
