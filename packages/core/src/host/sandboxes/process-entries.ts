// Options of every sandbox that is a process.
import { existsSync } from 'node:fs'
import * as v from 'valibot'
import { strictOptions } from '../../shared/schemas.js'
import { integer } from '../../shared/validate.js'
import { memoryEntries } from './entries.js'
import type { Launcher } from '@sallyport/process/internal/launchers'

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
const wallRule = '"auto", "required", "none" or a launcher, such as bubblewrap()'
const wall = v.optional(
  v.union([v.picklist(['auto', 'required', 'none']), v.custom<Launcher>(isLauncher)], wallRule),
  'auto',
)

/** Each takes the memory of a process. */
const MAX_SPARES = 64
/** @internal */
export const spares = integer(`a whole number of processes, from 0 to ${MAX_SPARES}`, 0, MAX_SPARES)

/** @internal */
export const processEntries = {
  resourceLimits: v.optional(strictOptions(memoryEntries)),
  memory: watched(positive('MiB, more than 0')),
  cpu: watched(positive('a share of one core, more than 0')),
  spares: v.optional(spares),
  pids: watched(integer('a whole number of processes and threads, from 1', 1)),
  wall,
}
