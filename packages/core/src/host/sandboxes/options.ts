// Options that several kinds of sandbox have, as schemas. Their messages repeat no secrets.
import { existsSync } from 'node:fs'
import type { Launcher } from '@sallyport/process/internal/launchers'
import {
  HOST_RULE,
  HOSTS_RULE,
  NET_RULE,
  parseHostPattern,
  SECRET_NAME,
  SECRET_NAME_RULE,
  SECRET_VALUE,
  SECRET_VALUE_RULE,
} from '@sallyport/process/internal/permission-model'
import * as v from 'valibot'
import { fileSchema } from '../../shared/locations.js'
import { integer, secret, strictOptions } from '../../shared/validate.js'

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
const memoryEntries = {
  maxOldGenerationSizeMb: megabytes,
  maxYoungGenerationSizeMb: megabytes,
  stackSizeMb: megabytes,
}
/** @internal */
export const resourceLimits = v.optional(strictOptions({ ...memoryEntries, codeRangeSizeMb: megabytes }))
/** @internal */
export const read = v.optional(v.array(fileSchema, 'an array'), [])

const host = v.pipe(
  v.string(HOST_RULE),
  v.check(text => parseHostPattern(text) !== undefined, HOST_RULE),
)
/** @internal */
export const hosts = v.pipe(v.array(host, 'an array of hosts'), v.minLength(1, HOSTS_RULE))

const either = v.boolean(NET_RULE)

/** @internal `true`, `false` or a list of hosts. */
export const netOrHosts = v.optional(
  v.lazy(value => (Array.isArray(value) ? hosts : either)) as v.LazySchema<typeof hosts | typeof either>,
)

/** @internal */
export const secrets = v.optional(
  secret(
    v.record(
      v.pipe(v.string('a string'), v.regex(SECRET_NAME, SECRET_NAME_RULE)),
      strictOptions({ value: v.pipe(v.string(SECRET_VALUE_RULE), v.regex(SECRET_VALUE, SECRET_VALUE_RULE)), hosts }),
      'an object',
    ),
  ),
)

/** Limits that are watched in /proc. */
const watched = (limit: v.GenericSchema<number>) =>
  v.optional(
    v.pipe(
      limit,
      v.check(() => existsSync('/proc/self/stat'), 'left out: it needs Linux'),
    ),
  )
const positive = (what: string) => v.pipe(v.number(what), v.gtValue(0, what))
const isLauncher = (value: unknown): boolean => {
  const { name, launch } = Object(value) as Record<string, unknown>
  return typeof name === 'string' && name !== '' && typeof launch === 'function'
}
const wallRule = '"auto", "required", "none" or a launcher, such as await bubblewrap()'
const wall = v.optional(
  v.union([v.picklist(['auto', 'required', 'none']), v.custom<Launcher>(isLauncher)], wallRule),
  'auto',
)

/** Each takes the memory of a process. */
const MAX_SPARES = 64
/** @internal */
const spares = integer(`a whole number of processes, from 0 to ${MAX_SPARES}`, 0, MAX_SPARES)

/** @internal */
export const processEntries = {
  resourceLimits: v.optional(strictOptions(memoryEntries)),
  memory: watched(positive('MiB, more than 0')),
  cpu: watched(positive('a share of one core, more than 0')),
  spares: v.optional(spares),
  pids: watched(integer('a whole number of processes and threads, from 1', 1)),
  wall,
}
