// @ts-check
// The core module: it asks a person before a tool changes something.
import { CommandError, defineCore } from '@sallyport/core'

/** Tools that ask first. */
const ASKS = ['plugin:memory|delete_entities', 'plugin:files|write_file']

/** @type {import('@sallyport/core').Middleware} */
async function askFirst({ command, args, ctx }, next) {
  if (!ASKS.includes(command)) return next()
  if (await ctx.confirm(`${ctx.label} wants to call ${command} with ${JSON.stringify(args)}`)) return next()
  throw new CommandError('REFUSED', 'A person has refused the call')
}

export default defineCore({ commands: {}, use: [askFirst] })
