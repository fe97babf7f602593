// The commands of @tauri-apps/plugin-process. They end or restart the app, which is up to the host.
import type { Plugin } from '@sallyport/core'
import { createPlugin } from '../definition/create-plugin.js'
import { invalidArg, isInteger } from '../definition/args.js'
import { askHost, type HostRequest } from './ask.js'

/** Functions of the host for `process`. Without one its command is refused. */
export interface ProcessOptions {
  /** Ends the app, or closes the frontend: what `exit` means is up to the host. */
  exit?(code: number, request: HostRequest): unknown
  /** Restarts the app, or reloads the frontend. */
  restart?(request: HostRequest): unknown
}

/** Returns Tauri's plugin `process`. `process:default` allows a frontend to call both functions. */
export function process({ exit, restart }: ProcessOptions = {}): Plugin<'process'> {
  return createPlugin('process', {
    commands: {
      exit: async ({ code = 0 }, ctx) => {
        if (!isInteger(code)) throw invalidArg('code', 'expected an integer')
        await askHost('process({ exit })', ctx, exit, [code])
      },
      restart: async (_args, ctx) => {
        await askHost('process({ restart })', ctx, restart, [])
      },
    },
  })
}
