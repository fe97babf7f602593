// The core module of the bus's arms, with a schema of valibot for the arguments of `greet`.
import { command, defineCore, type CoreDefinition } from '@sallyport/core'
import * as v from 'valibot'
import base from './bus-core.js'
import { greet } from './handlers.js'

const args = v.object({ name: v.string(), n: v.optional(v.number()), tags: v.optional(v.array(v.string())) })

const core: CoreDefinition = defineCore({ ...base, commands: { ...base.commands, greet: command({ args }, greet) } })

// A core module is its default export.
// oxlint-disable-next-line import/no-default-export
export default core
