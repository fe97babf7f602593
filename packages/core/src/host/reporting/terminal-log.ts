// The log on a terminal: one line of text for each event, in colors. Control characters are escaped, because terminals obey them: frontends
// could send them in a name, an error or their output.
// An older Node.js has no `styleText`: then importing that name alone would fail before `checkRuntime` says why.
import util from 'node:util'
import { isInternalFrame } from '@sallyport/protocol/internal/errors'
import { describeEvent } from './describe-event.js'

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

/** Names of pino's levels, which is loaded only when something is logged. */
export const LEVEL_NAMES: Partial<Record<number, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

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
    const { level, time, name: _name, pid: _pid, hostname: _hostname, err, ...rest } = JSON.parse(line) as LogLine
    const { worker, label, msg, ...fields } = rest
    const { title, count, detail } = describeEvent(msg, fields)
    const text = `${indent(title)}${count > 1 ? ` (${count}×)` : ''}${indent(detail)}`
    const [errorText = '', ...frames] = String(err?.stack ?? err?.message ?? err ?? '').split('\n')
    // The line of the denial has said what to add.
    const isUncaughtDenial = msg === 'fault' && err?.reason === 'Denied'
    const shownError = isUncaughtDenial ? errorText.replace(REMEDY, ', and nothing caught it') : errorText
    const error = shownError && `: ${escapeText(shownError)}`
    const stack = getShownFrames(frames, err)
      .map(frame => `\n${paintFrame(`  ${escapeText(frame)}`, paint)}`)
      .join('')
    const shownStack = stack === lastStack ? '' : stack
    if (stack !== '') lastStack = stack
    const clock = paint('dim', new Date(time).toTimeString().slice(0, 8))
    write(`${clock} ${formatPrefix(level, worker, label, paint)}${text}${error}${shownStack}\n`)
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

/** Indents all lines but the first: a worker chooses the text, which must not look like another event. */
const indent = (text: string): string => text.split('\n').map(escapeText).join('\n  ')

/** Other lines of a stack belong to the message. */
const FRAME = /^\s+at /
const paintFrame = (line: string, paint: Paint): string => (FRAME.test(line) ? paint('dim', line) : line)

/** Returns the level, and the label of the frontend or the name of the worker in brackets. */
function formatPrefix(level: number, worker: string | undefined, label: string | undefined, paint: Paint): string {
  const name = (LEVEL_NAMES[level] ?? String(level)).padEnd(5)
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

const escapeCharacter = (character: string): string =>
  character.replaceAll(/[^]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Control characters and invisible ones, but not tabs and joiners. */
const HIDDEN = /[\u2028\u2029]|(?![\t\u200d])[\p{Cc}\p{Cf}]/gu

/** Escapes a line of JSON, but not its end. There they occur only within strings, where the escape means the same. */
export const escapeLine = (line: string): string =>
  line.replace(HIDDEN, character => (character === '\n' ? character : escapeCharacter(character)))

/** Removes terminal sequences from one line of text, and escapes what is hidden otherwise. */
export const escapeText = (text: string): string => util.stripVTControlCharacters(text).replace(HIDDEN, escapeCharacter)
