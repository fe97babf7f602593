// Options that several kinds of sandbox have, as schemas. Their messages repeat no secrets.
import type { Launcher } from '@sallyport/process/internal/launchers'
import {
  LAUNCHERS,
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
import { anyFunction, integer, isInline, secret, strictOptions } from '../../shared/validate.js'

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
export const netOrHosts = v.optional(v.lazy(value => (Array.isArray(value) ? hosts : either)))

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

/** What Node.js itself takes at least, in MiB. */
const LEAST_MEMORY = 40
const memoryRule = `MiB, at least ${LEAST_MEMORY}, which Node.js alone takes`
const positive = (what: string) => v.pipe(v.number(what), v.gtValue(0, what))
const flag = v.optional(v.boolean('true or false'))
const launcherEntries: { [Name in keyof Required<Launcher>]: v.GenericSchema } = {
  name: v.pipe(v.string('a name'), v.minLength(1, 'a name')),
  closesNetwork: flag,
  holds: v.optional(
    v.array(
      v.picklist(['memory', 'cpu', 'pids', 'tmp'], '"memory", "cpu", "pids" or "tmp"'),
      'an array of limits: "memory", "cpu", "pids", "tmp"',
    ),
  ),
  isElsewhere: flag,
  bindsWrites: flag,
  launch: anyFunction,
}
const plainLauncher = objectOfKind(launcherEntries)
/** One of a class has what its methods use. */
const classLauncher = v.object(launcherEntries)
const isPlain = (value: unknown): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** Returns the launcher itself, of which `launch` is called as a method, and no copy. */
const launcher: v.GenericSchema<Launcher> = {
  ...v.custom<Launcher>(() => true),
  '~run'(dataset, config) {
    const { value } = dataset
    const checked = (isPlain(value) ? plainLauncher : classLauncher)['~run'](dataset, config)
    return { ...checked, value } as v.OutputDataset<Launcher, v.BaseIssue<unknown>>
  },
}

/** @internal Returns how the launcher is made whose name is in the place of another value, if it is one. */
export function explainLauncher(text: unknown): string | undefined {
  const call = LAUNCHERS.find(({ name }) => name === text)?.call
  return call && `${call}, of '@sallyport/core/launchers'`
}

const wallRule = '"auto", "required", "none" or a launcher, such as await bubblewrap()'
const wallName = v.picklist(['auto', 'required', 'none'], ({ input }) => explainLauncher(input) ?? wallRule)
/** A promise of a launcher was not awaited. */
const isObject = (value: unknown): boolean => isInline(value) && !(value instanceof Promise)
const wall = v.optional(
  v.lazy(value => (isObject(value) ? launcher : wallName)),
  'auto',
)

/** Each takes the memory of a process. */
const MAX_SPARES = 64
/** @internal */
const spares = integer(`a whole number of processes, from 0 to ${MAX_SPARES}`, 0, MAX_SPARES)

/** @internal */
export const processEntries = {
  resourceLimits: v.optional(strictOptions(memoryEntries)),
  memory: v.optional(v.pipe(v.number(memoryRule), v.minValue(LEAST_MEMORY, memoryRule))),
  cpu: v.optional(positive('a share of one core, more than 0')),
  spares: v.optional(spares),
  pids: v.optional(integer('a whole number of processes and threads, from 1', 1)),
  wall,
}
