// Options that several kinds of sandbox have.
import * as v from 'valibot'
import { fileSchema } from '../../shared/locations.js'
import { strictOptions } from '../../shared/schemas.js'

/** @internal An object whose names depend on its `kind`. Its message lists them for the error of an unknown name. */
export const objectOfKind = <Entries extends v.ObjectEntries>(entries: Entries) =>
  v.strictObject(
    entries,
    `use ${Object.keys(entries)
      .filter(name => !isLeftOut(entries[name]!))
      .join(', ')}`,
  )

const isLeftOut = (entry: object): boolean => 'wrapped' in entry && (entry.wrapped as { type: string }).type === 'never'

/** @internal */
export const leftOut = (why: string) => v.optional(v.never(`left out: ${why}`))

const megabytes = v.optional(v.pipe(v.number('megabytes'), v.gtValue(0, 'more than 0 megabytes')))
/** @internal */
export const memoryEntries = {
  maxOldGenerationSizeMb: megabytes,
  maxYoungGenerationSizeMb: megabytes,
  stackSizeMb: megabytes,
}
/** @internal */
export const resourceLimits = v.optional(strictOptions({ ...memoryEntries, codeRangeSizeMb: megabytes }))
/** @internal */
export const read = v.optional(v.array(fileSchema, 'an array'), [])
