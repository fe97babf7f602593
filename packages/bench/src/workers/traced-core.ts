// The core module of the bus's arms, heard on its diagnostics channels. A call fails that was not.
import { defineCore, type CoreDefinition } from '@sallyport/core'
import base from './bus-core.js'
import { greet } from './handlers.js'
import { hear } from './hear.js'

const heard = hear('command')

function heardGreet(args: { name: string }): string {
  // All that have begun have ended, but this one.
  if (heard.start !== heard.end + 1) throw new Error('core has not been heard')
  return greet(args)
}

const core: CoreDefinition = defineCore({ ...base, commands: { ...base.commands, greet: heardGreet } })

// A core module is its default export.
// oxlint-disable-next-line import/no-default-export
export default core
