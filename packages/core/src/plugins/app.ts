// Tauri's app plugin: name and version of the program.
import type { AppInfo } from '../contract/control.js'
import { getCount, invalidArgument, getString } from '../rpc/arguments.js'
import type { Channel } from '../rpc/channel.js'
import type { RunnableCommand } from '../rpc/registry.js'
import { coreCommand, type CoreCommandRun } from './core-command.js'

/** The version of Tauri whose IPC this is, for `@tauri-apps/api` and plugins. */
const TAURI_VERSION = '2.12.5'

export function createAppCommands({ productName, version, identifier }: AppInfo): RunnableCommand[] {
  const app = (name: string, run: CoreCommandRun): RunnableCommand => coreCommand('app', name, run)
  return [
    app('name', () => productName ?? ''),
    app('version', () => version ?? ''),
    app('identifier', () => identifier ?? ''),
    app('tauri_version', () => TAURI_VERSION),
    // There is no bundle. Tauri also answers null during development.
    app('bundle_type', () => null),
    app('supports_multiple_windows', () => true),
    // For `onBackButtonPress`. There is no such button, so the channel ends immediately.
    app('register_listener', (args, _call, method) => {
      getString(method, args, 'event')
      const { handler } = args
      if (!isChannel(handler)) {
        throw invalidArgument(
          method,
          'handler',
          'invalid channel value, expected a string in the `__CHANNEL__:ID` format',
        )
      }
      handler.end()
      return null
    }),
    app('remove_listener', (args, _call, method) => {
      getString(method, args, 'event')
      getCount(method, args, 'channelId')
      return null
    }),
  ]
}

/** Received values have no functions, except the channels that core has put in place of their references. */
const isChannel = (value: unknown): value is Channel => typeof (value as Channel | null | undefined)?.end === 'function'
