// Writes the bus's own log lines as sentences, for a terminal. In JSON they have a short message, and fields.
import { relative } from 'node:path'
import { inspect } from 'node:util'
import { describeName } from '@sallyport/protocol/internal/errors'
import type { RunningCall } from '../../contract/host-core.js'

export interface EventText {
  /** The event, without its cause. */
  title: string
  /** The rest of the line: why, what to do, and further fields. */
  detail: string
  /** Number of events that the line stands for. */
  count: number
}

/** Fields of a line. Plugins of core log their own lines, so a field can have any type. */
type Fields = Readonly<Record<string, unknown>>

interface EventFormat {
  /** The fields in the text. A line without them, or with others of these types, is not this event. */
  fields: Readonly<Record<string, 'string' | 'number' | 'array'>>
  title(fields: Fields): string
  /** Why, or what to do. */
  remedy?(fields: Fields): string
  count?(fields: Fields): number
}

function describeRestart({ restarts, delay }: Fields): string {
  return `restarting (${toOrdinal(Number(restarts))} time, in ${formatDuration(Number(delay))})`
}

const getMore = ({ more }: Fields): number => 1 + (typeof more === 'number' ? more : 0)

const FORMATS: ReadonlyMap<unknown, EventFormat> = new Map<unknown, EventFormat>([
  [
    'denied',
    {
      fields: { command: 'string', hint: 'string' },
      title: ({ command }) => `denied ${formatName(command)}`,
      remedy: ({ hint }) => String(hint),
      count: getMore,
    },
  ],
  [
    'rejected',
    {
      fields: { command: 'string', why: 'string' },
      title: ({ command }) => `rejected ${formatName(command)}`,
      remedy: ({ why }) => REJECTIONS.get(why) ?? `the hook did not return a message (${String(why)})`,
      count: getMore,
    },
  ],
  [
    'refused',
    {
      fields: { command: 'string', quota: 'string' },
      title: ({ command }) => `refused ${formatName(command)}`,
      remedy: ({ quota }) => `its quota is ${String(quota)}. Let it call less often, or raise calls.quotas`,
      count: getMore,
    },
  ],
  [
    'command threw',
    {
      fields: { command: 'string', error: 'string', place: 'string', why: 'string' },
      title: ({ command, error, place }) => `${formatName(command)} threw ${String(error)}${formatPlace(place)}`,
      remedy: ({ why }) => String(why),
      count: getMore,
    },
  ],
  [
    'message lost',
    {
      fields: { place: 'string' },
      title: ({ place }) => `lost a message of a channel${formatPlace(place)}`,
      remedy: () => 'it cannot be serialized. Await send to get the reason',
      count: getMore,
    },
  ],
  [
    'slow call',
    {
      fields: { command: 'string', ms: 'number' },
      title: ({ command }) => `slow call of ${formatName(command)}`,
      remedy: ({ ms }) => `it has been running for ${formatDuration(Number(ms))}`,
      count: getMore,
    },
  ],
  [
    'events dropped',
    {
      fields: { dropped: 'number' },
      title: () => 'events dropped',
      remedy: () => 'the frontend is too slow for them',
      count: ({ dropped }) => Number(dropped),
    },
  ],
  ['restarting', { fields: { restarts: 'number', delay: 'number' }, title: describeRestart }],
  // Another fault ends no worker, or for good.
  [
    'fault',
    {
      fields: { restarts: 'number', delay: 'number' },
      title: fields => `crashed, ${describeRestart(fields)}`,
    },
  ],
  [
    'a call was still running when the bus closed',
    {
      fields: { command: 'string', reason: 'string' },
      title: ({ command }) => `cut off ${formatName(command)}`,
      remedy: () => 'it was still running when the bus closed',
    },
  ],
  [
    'reloading',
    {
      fields: { workers: 'array', files: 'array' },
      title: ({ workers, files, hooks }) => {
        const names = [formatNames(workers), hooks === true && 'the hooks'].filter(Boolean).join(', ')
        const paths = (files as unknown[]).map(file => relative('', String(file)))
        return `reloading ${names} (${listSome(paths)} changed)`
      },
    },
  ],
  [
    'reloaded',
    {
      fields: { workers: 'array', ms: 'number' },
      title: ({ workers, ms }) => `reloaded ${formatNames(workers)} in ${formatDuration(Number(ms))}`,
    },
  ],
  [
    'closing',
    {
      fields: { calls: 'array', workers: 'array' },
      title: ({ calls, workers }) =>
        `closing: waits for ${describePending(calls as RunningCall[], workers as string[])}`,
    },
  ],
])

/** The worker is named before the message. */
const FAILED_WORKER = /^failed: (?:(?:frontend|gate) "(?:[^"\\]|\\.)*"|core) (?=failed )/

/** Texts for `why` of a rejection. `malformed` has a detail. */
const REJECTIONS: ReadonlyMap<unknown, string> = new Map([
  ['null', 'the hook returned null'],
  ['threw', 'the hook threw'],
  ['timeout', 'the hook timed out'],
  ['overloaded', 'too many messages waited for the hook'],
])

/** @param fields - the fields of the line, without those that every line has */
export function describeEvent(msg: unknown, fields: Fields): EventText {
  const format = FORMATS.get(msg)
  const isKnown =
    format !== undefined && Object.entries(format.fields).every(([name, type]) => getType(fields[name]) === type)
  if (!isKnown) {
    const title = String(msg ?? '').replace(FAILED_WORKER, '')
    return { title, detail: formatFields(fields), count: 1 }
  }
  const shown = [...Object.keys(format.fields), 'more', 'hooks']
  const rest = Object.entries(fields).filter(([name]) => !shown.includes(name))
  const remedy = format.remedy ? `: ${format.remedy(fields)}` : ''
  const detail = `${remedy}${formatFields(Object.fromEntries(rest))}`
  return { title: format.title(fields), detail, count: format.count?.(fields) ?? 1 }
}

const getType = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value)

const formatFields = (fields: Fields): string =>
  Object.entries(fields)
    .map(([name, value]) => ` ${name}=${formatValue(value)}`)
    .join('')

/** Names, paths and numbers stand without quotes. */
const formatValue = (value: unknown): string =>
  typeof value === 'string' && /^[^\s'"`=]+$/.test(value) ? value : inspect(value, { breakLength: Infinity, depth: 9 })

/** Quotes a name unless it is like those of commands and labels: the rest of the line is the bus's own. */
const formatName = (name: unknown): string =>
  /^[\w:|*.-]{1,80}$/.test(String(name)) ? String(name) : describeName(String(name))

const formatPlace = (place: unknown): string => (place === '' ? '' : ` (${String(place)})`)

const formatNames = (names: unknown): string => listSome((names as unknown[]).map(formatName))

/** Names that are listed; the others are counted. */
const MAX_LISTED = 5

const listSome = (names: readonly string[]): string => {
  const more = names.length - MAX_LISTED
  return more > 0 ? `${names.slice(0, MAX_LISTED).join(', ')} and ${more} more` : names.join(', ')
}

/** Returns the running calls, or else the workers that have not ended. */
function describePending(calls: readonly RunningCall[], workers: readonly string[]): string {
  if (calls.length === 0) return listSome(workers)
  const counts = new Map<string, number>()
  for (const { label, command } of calls) {
    const name = label === 'host' ? formatName(command) : `${formatName(command)} of ${formatName(label)}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return listSome([...counts].map(([name, count]) => (count > 1 ? `${name} (${count}×)` : name)))
}

/** Returns `80 ms`, `1.5 s`, `10 s` or `2 min`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${Number((ms / 1000).toFixed(1))} s`
  return ms < 119_500 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`
}

/** Returns `1st`, `2nd`, `3rd`, `4th`, `11th`. */
export function toOrdinal(number: number): string {
  const isTeen = Math.floor((number % 100) / 10) === 1
  return `${number}${(!isTeen && ['th', 'st', 'nd', 'rd'][number % 10]) || 'th'}`
}
