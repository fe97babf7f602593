// What the options of a bus and a tauri.conf.json have in common: Tauri's form of them, and the entries of both.
import * as v from 'valibot'
import { boolean, inlineOr, isInline, string } from '../../shared/schemas.js'
import { integer } from '../../shared/validate.js'

/** More gates than cores are of no use. */
const MAX_GATES = 64
const gatesText = `"each" or a whole number, from 1 to ${MAX_GATES}`
/** @internal */
export const hookEntries = {
  gates: v.optional(v.union([v.literal('each'), integer(gatesText, 1, MAX_GATES)], gatesText), 'each'),
  legacyMessages: v.optional(boolean, false),
  hookTimeout: v.optional(integer('whole milliseconds, from 10 to 3600000', 10, 3_600_000), 1000),
  maxRecordAge: v.optional(v.never('left out: a record goes straight from the gate to core, and has no age')),
}

/** @internal `app.security.pattern`. */
export const getPattern = <Isolation extends v.GenericSchema>(isolationOptions: Isolation) =>
  v.optional(
    v.variant(
      'use',
      [
        v.strictObject({ use: v.literal('brownfield') }),
        v.strictObject({ use: v.literal('isolation'), options: isolationOptions }),
      ],
      // The issue has a path only if an object was given.
      ({ path }) => (path ? '"brownfield" or "isolation"' : '{ use: "brownfield" } or { use: "isolation", options }'),
    ),
  )
/** @internal */
export const getList = <Entry extends v.GenericSchema>(entry: Entry) =>
  v.optional(v.array(inlineOr(v.custom<object>(isInline), entry), 'an array'))

/** @internal */
export const nullableString = v.nullish(string)
const identifierRule = 'an identifier of letters, digits, ".", "-" and "_"'
/** @internal */
export const infoEntries = {
  productName: nullableString,
  version: nullableString,
  identifier: v.nullish(v.pipe(string, v.regex(/^[\w.-]+$/, identifierRule))),
}
