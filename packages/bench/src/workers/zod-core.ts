// The core module of the bus's arms, with a schema of zod for the arguments of `greet`.
import { command, defineCore, type CoreDefinition } from '@sallyport/core'
import { z } from 'zod'
import base from './bus-core.js'
import { greet } from './handlers.js'

const args = z.object({ name: z.string(), n: z.number().optional(), tags: z.array(z.string()).optional() })

const core: CoreDefinition = defineCore({ ...base, commands: { ...base.commands, greet: command({ args }, greet) } })

// A core module is its default export.
// oxlint-disable-next-line import/no-default-export
export default core
