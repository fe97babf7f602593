// The log on a terminal: each line of pino as a sentence, in colors. Control characters are escaped, because terminals obey them: frontends
// could send them in a name, an error or their output.
// An older Node.js has no `styleText`: then importing that name alone would fail before `checkRuntime` says why.
import { relative } from 'node:path'
import util from 'node:util'
import { describeName, isInternalFrame } from '@sallyport/protocol/internal/errors'
import { escapeHidden, toPlainText } from '@sallyport/protocol/internal/util'
import type { RunningCall } from '../../contract/host-core.js'

/** A line of pino. */
export interface LogLine {
  level: number
  time: number
  msg?: string
  worker?: string
  label?: string
  /** `reason`: that of a `BusError`. */
  err?: { stack?: unknown; message?: unknown; reason?: unknown }
  [field: string]: unknown
}

/** The lowest level that is logged. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** Returns the name of a level of pino, which is loaded only when something is logged. */
export const getLevelName = (level: number): LogLevel | undefined => LOG_LEVELS.slice(0, -1)[level / 10 - 1]

const LEVELS = { warn: 40, error: 50 }

/** A format of `util.styleText`. Node 20 colors a combination even if NO_COLOR is set, so formats are nested instead. */
type Color = Extract<Parameters<typeof util.styleText>[0], string>

/** Returns the text in a color, or unchanged. */
export type Paint = (color: Color, text: string) => string

/** NO_COLOR, FORCE_COLOR and the terminal decide whether there are colors. */
export const createPaint =
  (stream: NodeJS.WriteStream): Paint =>
  (color, text) =>
    text === '' ? '' : util.styleText(color, text, { stream })

/** Returns a function that takes lines of pino. A stack stands below its event, unless the one before was the same. */
export function createTerminalLog(write: (text: string) => void, paint: Paint): (line: string) => void {
  let lastStack = ''
  return line => {
    const { level, time, name: _name, pid: _pid, hostname: _hostname, err, ...rest }: LogLine = JSON.parse(line)
    const { worker, label, msg, ...fields } = rest
    const [errorText = '', ...frames] = String(err?.stack ?? err?.message ?? err ?? '').split('\n')
    const error = errorText && `: ${escapeText(errorText)}`
    const stack = getShownFrames(frames, err)
      .map(frame => `\n${paintFrame(`  ${escapeText(frame)}`, paint)}`)
      .join('')
    const shownStack = stack === lastStack ? '' : stack
    if (stack !== '') lastStack = stack
    const clock = paint('dim', new Date(time).toTimeString().slice(0, 8))
    write(
      `${clock} ${formatPrefix(level, worker, label, paint)}${indent(describeEvent(msg, fields))}${error}${shownStack}\n`,
    )
  }
}

/** A frame of Node's own code, which helps nobody to find the place. */
const NODE_FRAME = /^\s+at (?:.*\()?node:/

/** Leaves out frames of Node and of this library, unless the error can be a bug in this library: it has a message of its own otherwise. */
function getShownFrames(frames: readonly string[], err: LogLine['err']): string[] {
  const shown = frames.filter(frame => !NODE_FRAME.test(frame))
  const others = shown.filter(frame => !isInternalFrame(frame))
  return others.some(frame => FRAME.test(frame)) || err?.reason !== undefined ? others : shown
}

/** Indents all lines but the first: a worker chooses the text, which must not look like another event. */
const indent = (text: string): string => text.split('\n').map(escapeText).join('\n  ')

/** Other lines of a stack belong to the message. */
const FRAME = /^\s+at /
const paintFrame = (line: string, paint: Paint): string => (FRAME.test(line) ? paint('dim', line) : line)

/** Returns the level, and the label of the frontend or the name of the worker in brackets. */
function formatPrefix(level: number, worker: string | undefined, label: string | undefined, paint: Paint): string {
  const name = (getLevelName(level) ?? String(level)).padEnd(5)
  const source = escapeText([label ?? worker ?? '', ...(worker === 'gate' ? ['gate'] : [])].join(' '))
  return `${paintLevel(level, name, paint)} ${source && `${paintLabel(source, label, paint)} `}`
}

function paintLevel(level: number, name: string, paint: Paint): string {
  if (level >= LEVELS.error) return paint('bold', paint('red', name))
  return level >= LEVELS.warn ? paint('yellow', name) : paint('dim', name)
}

/** Returns a label in brackets, in its color. */
export const paintLabel = (source: string, label: string | undefined, paint: Paint): string =>
  label === undefined ? `[${source}]` : paint(getLabelColor(label), `[${source}]`)

const LABEL_COLORS: readonly Color[] = [
  'cyan',
  'magenta',
  'green',
  'blueBright',
  'cyanBright',
  'magentaBright',
  'greenBright',
]

/** Returns the color of a label, which is the same in each run. Red and yellow are for levels. */
export function getLabelColor(label: string): Color {
  let hash = 0
  for (const character of label) hash = (hash * 31 + character.codePointAt(0)!) % 65_521
  return LABEL_COLORS[hash % LABEL_COLORS.length]!
}

/** Escapes lines of text or JSON, but not their ends. In JSON, what is hidden occurs only within strings, where the escape means the same. */
export const escapeLines = (text: string): string => text.split('\n').map(escapeHidden).join('\n')

/** Removes terminal sequences from one line of text, and escapes what is hidden otherwise. */
export const escapeText = (text: string): string => escapeHidden(toPlainText(text))

/** The bus's own events by their messages. `{format field}` is a field in one of the formats below. */
const SENTENCES: ReadonlyMap<unknown, string> = new Map([
  ['denied', 'denied {name command}{count more}: {text hint}'],
  ['rejected', 'rejected {name command}{count more}: {rejection why}'],
  [
    'refused',
    'refused {name command}{count more}: its quota is {text quota}. Let it call less often, or raise calls.quotas',
  ],
  ['command threw', '{name command} threw {text error}{place place}{count more}: {text why}'],
  [
    'message lost',
    'lost a message of a channel{place place}{count more}: it cannot be serialized. Await send to get the reason',
  ],
  ['slow call', 'slow call of {name command}{count more}: it has been running for {duration ms}'],
  ['events dropped', 'events dropped ({number dropped}): the frontend is too slow for them'],
  ['restarting', 'restarting in {duration delay} (restart {number restarts})'],
  // Another fault ends no worker, or for good.
  ['fault', 'crashed, restarting in {duration delay} (restart {number restarts})'],
  ['a call was still running when the bus closed', 'cut off {name command}: it was still running when the bus closed'],
  ['reloading', 'reloading {workers workers} ({files files} changed)'],
  ['reloaded', 'reloaded {workers workers} in {duration ms}'],
  ['closing', 'closing: waits for {pending calls}'],
])

type Fields = Readonly<Record<string, unknown>>

/** Each returns `undefined` for a wrong value: a plugin of core logs lines of its own, with any message. */
const FORMATS: Readonly<Record<string, (value: unknown, fields: Fields) => string | undefined>> = {
  text: value => (typeof value === 'string' ? value : undefined),
  number: value => (typeof value === 'number' ? String(value) : undefined),
  count: value => (typeof value === 'number' ? ` (${value + 1}×)` : ''),
  name: value => (typeof value === 'string' ? formatName(value) : undefined),
  place: value => (typeof value === 'string' ? value && ` (${value})` : undefined),
  duration: value => (typeof value === 'number' ? formatDuration(value) : undefined),
  rejection: value =>
    typeof value === 'string' ? (REJECTIONS.get(value) ?? `the hook did not return a message (${value})`) : undefined,
  files: value => (Array.isArray(value) ? listSome(value.map(file => relative('', String(file)))) : undefined),
  workers: (value, { hooks }) =>
    Array.isArray(value) ? listSome([...value.map(formatName), ...(hooks === true ? ['the hooks'] : [])]) : undefined,
  pending: (value, { workers }) => (Array.isArray(value) ? describePending(value, workers) : undefined),
}

const REJECTIONS: ReadonlyMap<string, string> = new Map([
  ['null', 'the hook returned null'],
  ['threw', 'the hook threw'],
  ['timeout', 'the hook timed out'],
  ['overloaded', 'too many messages waited for the hook'],
])

/** Returns the event as a sentence, or its message, and the fields that are not in it. */
function describeEvent(msg: unknown, fields: Fields): string {
  const template = SENTENCES.get(msg)
  let isKnown = template !== undefined
  const shown = new Set(['hooks', 'workers'])
  const sentence = template?.replace(/\{(\w+) (\w+)\}/g, (_, format: string, field: string) => {
    const text = FORMATS[format]!(fields[field], fields)
    isKnown &&= text !== undefined
    shown.add(field)
    return text ?? ''
  })
  const rest = Object.entries(fields).filter(([name]) => !isKnown || !shown.has(name))
  const values = rest.map(([name, value]) => ` ${name}=${formatValue(value)}`)
  return `${isKnown ? sentence : String(msg ?? '')}${values.join('')}`
}

/** Names, paths and numbers stand without quotes. */
const formatValue = (value: unknown): string =>
  typeof value === 'string' && /^[^\s'"`=]+$/.test(value)
    ? value
    : util.inspect(value, { breakLength: Infinity, depth: 9 })

/** Quotes a name unless it is like those of commands and labels: the rest of the line is the bus's own. */
const formatName = (name: unknown): string =>
  /^[\w:|*.-]{1,80}$/.test(String(name)) ? String(name) : describeName(String(name))

/** Names that are listed; the others are counted. */
const MAX_LISTED = 5

const listSome = (names: readonly string[]): string => {
  const more = names.length - MAX_LISTED
  return more > 0 ? `${names.slice(0, MAX_LISTED).join(', ')} and ${more} more` : names.join(', ')
}

function describeWorker(fields: unknown): string {
  const { worker, label }: Partial<LogLine> = Object(fields)
  return label === undefined ? String(worker) : `${worker} ${describeName(label)}`
}

/** Returns the running calls, or else the workers that have not ended. */
function describePending(calls: readonly RunningCall[], workers: unknown): string {
  if (calls.length === 0) return listSome(Array.isArray(workers) ? workers.map(describeWorker) : [])
  const counts = new Map<string, number>()
  for (const { label, command } of calls) {
    const name = label === 'host' ? formatName(command) : `${formatName(command)} of ${formatName(label)}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return listSome([...counts].map(([name, count]) => (count > 1 ? `${name} (${count}×)` : name)))
}

/** Returns `80 ms`, `1.5 s`, `10 s` or `2 min`. */
function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${Number((ms / 1000).toFixed(1))} s`
  return ms < 119_500 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`
}
