// What the host asks of core over its own link, as commands. Frontends do not have them: to them their names are unknown.
import type { RunnableCommand } from './commands.js'

export function createHostCommands(): RunnableCommand[] {
  return []
}
