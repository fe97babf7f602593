// The log on a terminal: a line of text for each event, in which repeats are counted.
import { describeEvent, type EventText, formatDuration } from './describe-event.js'
import { escapeText } from './escape.js'
import { getLabelColor, type Paint } from './paint.js'
import { Repeats } from './repeats.js'

/** A line of pino. */
export interface LogLine {
  level: number
  time: number
  msg?: string
  worker?: string
  label?: string
  err?: { stack?: unknown; message?: unknown }
  [field: string]: unknown
}

export interface TerminalLog {
  /** Takes a line of pino. */
  write(line: string): void
  /** Writes how often lines were repeated since they were last written. */
  flush(): void
}

/** Names of pino's levels, which is loaded only when something is logged. */
export const LEVEL_NAMES: Partial<Record<number, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

const LEVELS = { warn: 40, error: 50, fatal: 60 }

/** Creates the log. A warning that repeats is written once, and then how often it was repeated. */
export function createTerminalLog(write: (text: string) => void, paint: Paint): TerminalLog {
  const writeEvent = (time: number, prefix: string, text: string): void =>
    write(`${paint('dim', formatTime(time))} ${prefix}${text}\n`)
  const repeats = new Repeats<{ prefix: string; title: string }>(({ prefix, title }, count, ms) =>
    writeEvent(Date.now(), prefix, `${title} ${count}× in ${formatDuration(ms)}`),
  )
  let lastStack = ''
  return {
    write(line) {
      const { level, time, name: _name, pid: _pid, hostname: _hostname, err, ...rest } = JSON.parse(line) as LogLine
      const { worker, label, msg, ...fields } = rest
      const event = describeEvent(msg, fields)
      const prefix = formatPrefix(level, worker, label, paint)
      const title = indent(event.title)
      const text = `${title}${formatCount(event)}${indent(event.detail)}`
      const isRepeatable = level >= LEVELS.warn && !err
      if (isRepeatable && !repeats.isNew(`${prefix}${title}${event.detail}`, { prefix, title }, event.count)) return
      const [errorText = '', ...frames] = String(err?.stack ?? err?.message ?? err ?? '').split('\n')
      const stack = frames.map(frame => `\n${paintFrame(`  ${escapeText(frame)}`, paint)}`).join('')
      const isStackNew = stack !== lastStack
      if (stack !== '') lastStack = stack
      writeEvent(time, prefix, `${text}${errorText && `: ${escapeText(errorText)}`}${isStackNew ? stack : ''}`)
    },
    flush: () => repeats.flush(),
  }
}

const formatTime = (time: number): string => new Date(time).toTimeString().slice(0, 8)

const formatCount = ({ count }: EventText): string => (count > 1 ? ` (${count}×)` : '')

/** Indents all lines but the first: a worker chooses the text, which must not look like another event. */
const indent = (text: string): string => text.split('\n').map(escapeText).join('\n  ')

const paintFrame = (line: string, paint: Paint): string => (/^\s+at /.test(line) ? paint('dim', line) : line)

/** Returns the level, and the label of the frontend or the name of the worker in brackets. */
function formatPrefix(level: number, worker: string | undefined, label: string | undefined, paint: Paint): string {
  const name = (LEVEL_NAMES[level] ?? String(level)).padEnd(5)
  const isGate = worker === 'gate'
  const source = escapeText([label ?? worker ?? '', ...(isGate ? ['gate'] : [])].join(' '))
  return `${paintLevel(level, name, paint)} ${source && `${paintLabel(source, label, paint)} `}`
}

function paintLevel(level: number, name: string, paint: Paint): string {
  if (level >= LEVELS.error) return paint('bold', paint('red', name))
  return level >= LEVELS.warn ? paint('yellow', name) : paint('dim', name)
}

/** Returns a label in brackets, in its color. */
export const paintLabel = (source: string, label: string | undefined, paint: Paint): string =>
  label === undefined ? `[${source}]` : paint(getLabelColor(label), `[${source}]`)
