// The shape of `sandbox`: which one a frontend has, and its limits.
import { existsSync } from 'node:fs'
import * as v from 'valibot'
import { fileLocation, isContent } from './location.js'
import type { FrontendSettings, PermissionSettings, ProcessSettings, SesSettings } from './options.js'

const megabytes = v.optional(v.pipe(v.number('megabytes'), v.gtValue(0, 'more than 0 megabytes')))
const read = v.optional(v.array(fileLocation, 'a list'), [])
const memoryLimits = { maxOldGenerationSizeMb: megabytes, maxYoungGenerationSizeMb: megabytes, stackSizeMb: megabytes }
const limits = <Entries extends v.ObjectEntries>(entries: Entries) => v.optional(v.strictObject(entries, 'an object'))
const resourceLimits = limits({ ...memoryLimits, codeRangeSizeMb: megabytes })
/** What is read in /proc. */
const watched = (what: string) =>
  v.optional(
    v.pipe(
      v.number(what),
      v.gtValue(0, what),
      v.check(() => existsSync('/proc/self/stat'), 'left out: it needs Linux'),
    ),
  )
const ofPermission = {
  kind: v.literal('permission'),
  read,
  strict: v.optional(v.boolean('true or false'), false),
  resourceLimits,
}
const ofProcess = {
  kind: v.literal('process'),
  read,
  resourceLimits: limits(memoryLimits),
  memory: watched('MiB, more than 0'),
  cpu: watched('a share of one core, more than 0'),
}
const ofSes = { kind: v.literal('ses'), resourceLimits }
const sandboxSettings = v.variant(
  'kind',
  [v.strictObject(ofPermission), v.strictObject(ofProcess), v.strictObject(ofSes)],
  '"permission", "process" or "ses"',
) as v.GenericSchema<unknown, PermissionSettings | ProcessSettings | SesSettings>
const namedSandbox = v.pipe(
  v.picklist(['none', 'permission', 'process', 'ses'], '"none", "permission", "process", "ses" or { kind, … }'),
  v.transform(kind => (kind === 'none' ? kind : v.parse(sandboxSettings, { kind }))),
)
export const sandbox: v.GenericSchema<unknown, FrontendSettings['sandbox']> = v.optional(
  v.lazy(given => (isContent(given) ? sandboxSettings : namedSandbox)),
  'permission',
)
/** For typing errors. */
export const SANDBOX_OPTIONS: readonly string[] = Object.keys({ ...ofPermission, ...ofProcess })
