// Schemas that options and configuration files share.
import * as v from 'valibot'
import { isObject } from './validate.js'

/** Returns true for an object in the place of its location. */
export const isInline = (value: unknown): value is object => isObject(value) && !(value instanceof URL)

/** @internal */
export const boolean = v.boolean('true or false')
/** @internal */
export const string = v.string('a string')
/** @internal An object with any keys, but not an array, which valibot accepts as an object. */
export const table = v.custom<Record<string, unknown>>(isInline, 'an object')

/** @internal Marks what holds a secret: no error repeats a value of it, or a name in whose place the value might be. */
export const secret = <Schema extends v.GenericSchema>(schema: Schema): Schema => ({
  ...schema,
  '~run'(dataset, config) {
    const result = schema['~run'](dataset, config)
    for (const issue of result.issues ?? []) {
      if (issue.received !== 'undefined') Object.assign(issue, { received: '' })
      const member = issue.path?.at(-1)
      if (issue.kind === 'validation' && member?.origin === 'key') Object.assign(member, { key: '…' })
    }
    return result
  },
})

/** @internal Chooses the schema by the value, so that an error names what is wrong in the intended form. */
export const inlineOr = <Inline extends v.GenericSchema, Other extends v.GenericSchema>(inline: Inline, other: Other) =>
  v.lazy(value => (isInline(value) ? inline : other)) as v.LazySchema<Inline | Other>

/** @internal An object with these keys alone. */
export const strictOptions = <Entries extends v.ObjectEntries>(entries: Entries) => v.strictObject(entries, 'an object')
