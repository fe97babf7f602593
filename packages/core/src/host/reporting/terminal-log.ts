// The log on a terminal: a line of text for each event, in which repeats are counted.
import { findPlace, isInternalFrame } from '@sallyport/protocol/internal/errors'
import { describeEvent, type EventText, formatDuration, listSome } from './describe-event.js'
import { escapeText } from './escape.js'
import { getLabelColor, type Paint } from './paint.js'
import { type RepeatCount, Repeats } from './repeats.js'

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

/** A line as it is counted. */
interface CountedLine {
  level: number
  label: string | undefined
  prefix: Prefix
  text: string
  /** What follows the count: the first words of its error, or a quota. */
  cause: string
  /** File and line of its error, in parentheses. */
  place: string
  /** The text of the sum with lines of other labels, if there is one. */
  sum: string | undefined
  /** Whose lines were added up. */
  by?: string
}

const MAX_PLACE = 300
/** Some five to eight words. */
const MAX_CAUSE = 50

/**
 * Creates the log. A warning or fault that repeats is written once, and then how often it was repeated.
 *
 * @param getWidth - returns the number of columns at which lines are wrapped
 */
export function createTerminalLog(
  write: (text: string) => void,
  paint: Paint,
  getWidth: () => number | undefined = () => undefined,
): TerminalLog {
  const writeEvent = (time: number, { text: prefix, width }: Prefix, text: string, rest = ''): void => {
    const indent = TIME_WIDTH + width
    write(`${paint('dim', formatTime(time))} ${prefix}${wrap(text, indent, getWidth())}${rest}\n`)
  }
  let isEnd = false
  const repeats = new Repeats<CountedLine>(counts => {
    const sums = addUp(counts, paint)
    if (isEnd && sums.length > 1)
      return writeEvent(Date.now(), formatPrefix(LEVELS.warn, undefined, undefined, paint), describeSums(sums))
    for (const each of sums) {
      const { prefix, text, cause, place, by = '' } = each.line
      writeEvent(Date.now(), prefix, `${text} ${each.count}×${by} in ${formatDuration(each.ms)}${cause}${place}`)
    }
  })
  let lastStack = ''
  return {
    write(line) {
      const { level, time, name: _name, pid: _pid, hostname: _hostname, err, ...rest } = JSON.parse(line) as LogLine
      const { worker, label, msg, ...fields } = rest
      const event = describeEvent(msg, fields)
      const prefix = formatPrefix(level, worker, label, paint)
      const title = indent(event.title)
      const text = `${title}${formatCount(event)}${indent(event.detail)}`
      const [errorText = '', ...frames] = String(err?.stack ?? err?.message ?? err ?? '').split('\n')
      const isFault = err !== undefined && msg === 'fault'
      // The line of the denial has said what to add.
      const shownError =
        isFault && err.reason === 'Denied' ? errorText.replace(REMEDY, ', and nothing caught it') : errorText
      const error = shownError && `: ${escapeText(shownError)}`
      // The count of a worker that fails for good comes before its end.
      if (level >= LEVELS.error && !isFault) repeats.flush(line => line.prefix.text === prefix.text)
      if (level >= LEVELS.warn && (!err || isFault)) {
        const found = isFault ? escapeText(findPlace(frames.join('\n')).slice(0, MAX_PLACE)) : ''
        const place = found && ` (${found})`
        const key = `${prefix.text}${isFault ? msg + (place || error) : title + event.detail}`
        const cause = isFault ? getCause(shownError) : event.cause
        const line = { level, label, prefix, text: indent(event.repeated), cause, place, sum: event.sum }
        const known = repeats.add(key, line, event.count)
        if (known) {
          known.cause = getCommonWords(known.cause, cause)
          return
        }
      }
      const stack = getShownFrames(frames, err)
        .map(frame => `\n${paintFrame(`  ${escapeText(frame)}`, paint)}`)
        .join('')
      const isStackNew = stack !== lastStack
      if (stack !== '') lastStack = stack
      writeEvent(time, prefix, `${text}${error}`, isStackNew ? stack : '')
    },
    flush() {
      isEnd = true
      repeats.flush()
      isEnd = false
    },
  }
}

/** The end of the message of a denial. */
const REMEDY = /: add "[^]*$/

/** A frame of Node's own code, which helps nobody to find the place. */
const NODE_FRAME = /^\s+at (?:.*\()?node:/

/** Leaves out frames of Node and of this library, unless the error can be a bug in this library: it has a message of its own otherwise. */
function getShownFrames(frames: readonly string[], err: LogLine['err']): string[] {
  const shown = frames.filter(frame => !NODE_FRAME.test(frame))
  const others = shown.filter(frame => !isInternalFrame(frame))
  return others.some(frame => FRAME.test(frame)) || err?.reason !== undefined ? others : shown
}

/** The name of an error, and the frontend, which the label names. */
const ERROR_NAME = /^[A-Z][\w$.]*(?: \[\w+\])?: /
const ERROR_SUBJECT = /^(?:(?:frontend|gate) "(?:[^"\\]|\\.)*"|core|The frontend process) /

/** Returns the first words of an error. */
function getCause(error: string): string {
  const text = escapeText(error.replace(ERROR_NAME, '').replace(ERROR_SUBJECT, ''))
  const words = text.length <= MAX_CAUSE ? text : `${text.slice(0, MAX_CAUSE).replace(/\s+\S*$/, '')}…`
  return words && `: ${words}`
}

/** Returns the words with which both begin: a message can have a number that differs each time. */
function getCommonWords(cause: string, other: string): string {
  if (cause === other) return cause
  const [words, others] = [cause.split(' '), other.split(' ')]
  let count = 0
  while (count < words.length && words[count] === others[count]) count++
  return words
    .slice(0, count)
    .join(' ')
    .replace(/[:,(]+$/, '')
}

/** Returns counts of the same text as one, and those of the same kind of several frontends. */
function addUp(counts: readonly RepeatCount<CountedLine>[], paint: Paint): RepeatCount<CountedLine>[] {
  const groups = new Map<string, RepeatCount<CountedLine>[]>()
  for (const each of counts) {
    const { sum, label, prefix, text, cause, place } = each.line
    const isShared = sum !== undefined && counts.some(({ line }) => line.sum === sum && line.label !== label)
    const key = isShared ? sum : JSON.stringify([prefix.text, text, cause, place])
    groups.set(key, [...(groups.get(key) ?? []), each])
  }
  return Array.from(groups.values(), group => {
    const [{ line }] = group as [RepeatCount<CountedLine>]
    const count = group.reduce((all, each) => all + each.count, 0)
    const ms = Math.max(...group.map(each => each.ms))
    const { size } = new Set(group.map(each => each.line.label))
    if (size === 1) return { line, count, ms }
    const getShared = (name: 'cause' | 'place'): string =>
      group.every(each => each.line[name] === line[name]) ? line[name] : ''
    const prefix = formatPrefix(line.level, undefined, undefined, paint)
    const [cause, place] = [getShared('cause'), getShared('place')]
    return { line: { ...line, prefix, text: line.sum!, cause, place, by: ` by ${size} frontends` }, count, ms }
  })
}

/** At the end all counts are one line, errors first. */
function describeSums(counts: readonly RepeatCount<CountedLine>[]): string {
  const texts = counts
    .toSorted((a, b) => b.line.level - a.line.level)
    .map(({ line: { text, label, cause, place, by }, count }) => {
      const who = by ?? (label === undefined ? '' : ` by ${escapeText(label)}`)
      return `${text} ${count}×${who}${cause}${place}`
    })
  const ms = Math.max(...counts.map(each => each.ms))
  return `${listSome(texts)}, in ${formatDuration(ms)}`
}

/** Breaks a text between words. Lines after the first are indented. A text with line breaks is left as it is. */
function wrap(text: string, indent: number, width: number | undefined): string {
  const room = (width ?? Infinity) - indent
  if (room < MIN_ROOM || text.length <= room || text.includes('\n')) return text
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line ? `${line} ${word}` : word
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`)
}

/** With fewer columns, a terminal itself breaks lines better. */
const MIN_ROOM = 30
/** The time and a space. */
const TIME_WIDTH = 9

const formatTime = (time: number): string => new Date(time).toTimeString().slice(0, 8)

const formatCount = ({ count }: EventText): string => (count > 1 ? ` (${count}×)` : '')

/** Indents all lines but the first: a worker chooses the text, which must not look like another event. */
const indent = (text: string): string => text.split('\n').map(escapeText).join('\n  ')

/** Other lines of a stack belong to the message. */
const FRAME = /^\s+at /
const paintFrame = (line: string, paint: Paint): string => (FRAME.test(line) ? paint('dim', line) : line)

/** The level, and the label of the frontend or the name of the worker in brackets. */
interface Prefix {
  text: string
  /** Without colors. */
  width: number
}

function formatPrefix(level: number, worker: string | undefined, label: string | undefined, paint: Paint): Prefix {
  const name = (LEVEL_NAMES[level] ?? String(level)).padEnd(5)
  const isGate = worker === 'gate'
  const source = escapeText([label ?? worker ?? '', ...(isGate ? ['gate'] : [])].join(' '))
  const text = `${paintLevel(level, name, paint)} ${source && `${paintLabel(source, label, paint)} `}`
  return { text, width: name.length + 1 + (source === '' ? 0 : source.length + 3) }
}

function paintLevel(level: number, name: string, paint: Paint): string {
  if (level >= LEVELS.error) return paint('bold', paint('red', name))
  return level >= LEVELS.warn ? paint('yellow', name) : paint('dim', name)
}

/** Returns a label in brackets, in its color. */
export const paintLabel = (source: string, label: string | undefined, paint: Paint): string =>
  label === undefined ? `[${source}]` : paint(getLabelColor(label), `[${source}]`)
