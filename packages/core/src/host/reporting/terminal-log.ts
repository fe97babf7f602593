// The default log on a terminal, for people: one line an event, its stack below it, and repeated warnings as a number.
import { escapeText } from './escape.js'

/** A line of pino, with the fields of the bus's own lines. */
interface LogLine {
  level: number
  time: number
  msg?: string
  actor?: string
  label?: string
  err?: { stack?: unknown; message?: unknown }
  [field: string]: unknown
}

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}
const WARN = 40
const REPEAT_INTERVAL_MS = 1000
/** Different texts that are compared at a time. */
const MAX_REPEATED = 1000

/**
 * Returns a function that takes lines of pino and writes them as text. A warning that repeats within a second is written once, and
 * how often it was repeated when the second is over, or the process exits.
 */
export function createTerminalLog(write: (text: string) => void): (line: string) => void {
  const repeated = new Map<string, number>()
  let lastStack = ''
  let timer: NodeJS.Timeout | undefined

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    process.off('exit', flush)
    for (const [event, count] of repeated) if (count > 0) write(`${formatTime(Date.now())} ${event} (${count} more)\n`)
    repeated.clear()
  }

  return line => {
    const { level, time, name: _name, pid: _pid, hostname: _hostname, err, ...rest } = JSON.parse(line) as LogLine
    const event = formatEvent(level, rest)
    if (level >= WARN && !err) {
      const count = repeated.get(event)
      if (count !== undefined) return void repeated.set(event, count + 1)
      if (repeated.size < MAX_REPEATED) repeated.set(event, 0)
      if (!timer) {
        timer = setTimeout(flush, REPEAT_INTERVAL_MS).unref()
        process.once('exit', flush)
      }
    }
    const [title = '', ...frames] = toLines(String(err?.stack ?? err?.message ?? err ?? ''))
    const stack = frames.join('')
    const isRepeated = stack === lastStack
    if (stack !== '') lastStack = stack
    write(`${formatTime(time)} ${event}${title && `: ${title}`}\n${isRepeated ? '' : stack}`)
  }
}

const formatTime = (time: number): string => new Date(time).toTimeString().slice(0, 8)

function formatEvent(level: number, { actor, label, msg, ...fields }: Omit<LogLine, 'level' | 'time' | 'err'>): string {
  const source = [label ?? actor, ...(actor === 'gate' ? ['gate'] : [])].filter(part => part !== undefined).join(' ')
  const values = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`)
  const parts = [(LEVELS[level] ?? String(level)).padEnd(5), ...(source === '' ? [] : [`[${source}]`]), msg ?? '']
  return escapeText(parts.join(' ') + values.join(''))
}

/** Indents all lines but the first: a worker chooses the text, which must not look like another event. */
const toLines = (stack: string): string[] =>
  stack.split('\n').map((line, index) => (index === 0 ? escapeText(line) : `  ${escapeText(line)}\n`))
