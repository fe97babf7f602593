// The shape of what `bus.inspectServer` takes.
import * as v from 'valibot'
import { whole } from './whole.js'

export const inspectorOptions: v.GenericSchema<{ port?: number | undefined }, { port: number }> = v.strictObject(
  { port: v.optional(whole('a port, from 0 to 65535', 0, 65_535), 0) },
  'an object',
)
