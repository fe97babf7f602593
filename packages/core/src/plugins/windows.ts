// Of Tauri's window and webview plugins, what means something without a GUI: which frontends there are. Each is one window
// with one webview, both under its label.
import type { RunnableCommand } from '../commands.js'
import { coreCommand } from './core-command.js'

export function createWindowCommands(labels: () => readonly string[]): RunnableCommand[] {
  return [
    coreCommand('window', 'get_all_windows', () => labels()),
    coreCommand('webview', 'get_all_webviews', () => labels().map(label => ({ windowLabel: label, label }))),
  ]
}
