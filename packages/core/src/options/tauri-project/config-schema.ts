// The parts of a tauri.conf.json that a bus reads, with their error texts. Other keys are ignored, as in Tauri.
import * as v from 'valibot'
import { boolean, inlineOr, integer, isInline, strictOptions, string, table } from '../../shared/validate.js'

/** More gates than cores are of no use. */
const MAX_GATES = 64
const gatesText = `"each" or a whole number, from 1 to ${MAX_GATES}`
/** @internal */
export const hookEntries = {
  gates: v.optional(v.union([v.literal('each'), integer(gatesText, 1, MAX_GATES)], gatesText), 'each'),
  legacyMessages: v.optional(boolean, false),
  hookTimeout: v.optional(integer('whole milliseconds, from 10 to 3600000', 10, 3_600_000), 1000),
}

/** @internal */
export const getList = <Entry extends v.GenericSchema>(entry: Entry) =>
  v.optional(v.array(inlineOr(v.custom<object>(isInline), entry), 'an array'))

/** @internal */
const nullableString = v.nullish(string)
const identifierRule = 'an identifier of letters, digits, ".", "-" and "_"'
/** @internal What a bus can have without a project, too. */
export const infoEntries = {
  productName: nullableString,
  version: nullableString,
  identifier: v.nullish(v.pipe(string, v.regex(/^[\w.-]+$/, identifierRule))),
  plugins: v.optional(table),
}

/** The scope of the asset protocol, as in a configuration. */
export interface AssetScope {
  readonly allow?: readonly string[] | undefined
  readonly deny?: readonly string[] | undefined
  readonly requireLiteralLeadingDot?: boolean | null | undefined
  readonly 'require-literal-leading-dot'?: boolean | null | undefined
}

const section = <Entries extends v.ObjectEntries>(entries: Entries) => v.pipe(table, v.looseObject(entries))
const strings = v.array(string, 'an array')
const cspSchema = v.nullish(
  inlineOr(v.record(v.string(), v.union([string, strings], 'a string, or an array of strings')), string),
)
const pathScope: v.GenericSchema<readonly string[] | AssetScope> = v.lazy(value =>
  Array.isArray(value)
    ? strings
    : section({
        allow: v.optional(strings),
        deny: v.optional(strings),
        requireLiteralLeadingDot: v.nullish(boolean),
        'require-literal-leading-dot': v.nullish(boolean),
      }),
)
const assetProtocol = v.optional(section({ enable: v.optional(boolean, false), scope: v.optional(pathScope) }))
const keptDirectives = v.optional(v.union([boolean, strings], 'true, false or an array of directives'))
// The isolation app is required, as in Tauri: without it the hook would pass every message, which cannot be the intent.
const isolationEntries = { dir: v.string('a path'), ...hookEntries }
const pattern = v.optional(
  v.variant(
    'use',
    [
      v.strictObject({ use: v.literal('brownfield') }),
      v.strictObject({ use: v.literal('isolation'), options: strictOptions(isolationEntries) }),
    ],
    // The issue has a path only if an object was given.
    ({ path }) => (path ? '"brownfield" or "isolation"' : '{ use: "brownfield" } or { use: "isolation", options }'),
  ),
)
/** Keys in kebab case are Tauri's other spelling. */
const configSecurityEntries = {
  csp: cspSchema,
  devCsp: cspSchema,
  'dev-csp': cspSchema,
  dangerousDisableAssetCspModification: keptDirectives,
  'dangerous-disable-asset-csp-modification': keptDirectives,
  assetProtocol,
  'asset-protocol': assetProtocol,
  pattern,
  capabilities: getList(v.string('a capability, or the identifier of one')),
}
const configAppEntries = {
  security: v.optional(section(configSecurityEntries)),
  withGlobalTauri: v.optional(boolean),
  'with-global-tauri': v.optional(boolean),
}
const configEntries = {
  ...infoEntries,
  /** Tauri's other spelling of `productName`. */
  'product-name': nullableString,
  app: v.optional(section(configAppEntries)),
}
/** @internal A tauri.conf.json. */
export const configSchema = section(configEntries)
/** @internal */
export type ParsedApp = v.InferOutput<typeof configSchema>['app']
/** The keys that are read in a tauri.conf.json, by place. */
export const CONFIG_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(configEntries),
  app: Object.keys(configAppEntries),
  'app.security': Object.keys(configSecurityEntries),
}
/** The places of the keys whose neighbours are not ignored. */
export const PATTERN_PLACES: readonly string[] = Object.keys(isolationEntries).map(
  name => `app.security.pattern.options.${name}`,
)
