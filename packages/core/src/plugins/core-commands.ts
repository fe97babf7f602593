// All commands that core has of its own: Tauri's core plugins, as far as they mean something here.
import type { RunnableCommand } from '../commands.js'
import type { AppInfo } from '../control.js'
import type { EventRouter } from '../events.js'
import type { Resources } from '../resources.js'
import { createAppCommands } from './app.js'
import { createEventCommands } from './event.js'
import { createPathCommands } from './path/commands.js'
import { textPlatform, type Surroundings } from './path/directories.js'
import type { PathResolver } from './path/resolver.js'
import { createResourceCommands } from './resources.js'
import { createWindowCommands } from './windows.js'

export interface CoreCommandParts {
  router: EventRouter
  appInfo: AppInfo
  /** What is open for everybody. */
  resources: Resources
  path: PathResolver
  platform: Surroundings['platform']
  /** Of the frontends that there are. */
  labels: () => readonly string[]
}

export function createCoreCommands(parts: CoreCommandParts): RunnableCommand[] {
  return [
    ...createEventCommands(parts.router),
    ...createPathCommands(parts.path, textPlatform(parts.platform), () => process.cwd()),
    ...createAppCommands(parts.appInfo),
    ...createResourceCommands(parts.resources),
    ...createWindowCommands(parts.labels),
  ]
}
