// The console that a hook sees: browser methods that end as one line of text in the host's log. Values are formatted
// here, without running their getters, inspectors or proxies, so that nothing of the hook's travels further than text.
import { formatWithOptions, types } from 'node:util'

export type ConsoleLevel = 'debug' | 'info' | 'warn' | 'error'

/** Takes what a hook logs: one text for each call. */
export type ConsoleSink = (level: ConsoleLevel, text: string) => void

/** In UTF-16 code units: what is longer is cut, and ends with `…`. */
export const MAX_CONSOLE_TEXT = 8192

const FORMAT = {
  customInspect: false,
  getters: false,
  showProxy: true,
  depth: 4,
  maxArrayLength: 100,
  maxStringLength: 2048,
  breakLength: Infinity,
} as const

const LEVELS: Record<string, ConsoleLevel> = {
  log: 'info',
  info: 'info',
  warn: 'warn',
  error: 'error',
  debug: 'debug',
  trace: 'debug',
  dir: 'info',
  dirxml: 'info',
  table: 'info',
  group: 'info',
  groupCollapsed: 'info',
}
// A script may call these; they have nothing to say here.
const SILENT = ['clear', 'count', 'countReset', 'groupEnd', 'time', 'timeEnd', 'timeLog', 'timeStamp'] as const

/** A console for the sandbox. No method throws, whatever it is given. */
export function createConsole(sink: ConsoleSink): Record<string, (...values: unknown[]) => void> {
  const write = (level: ConsoleLevel, values: unknown[]): void => {
    try {
      sink(level, toText(values))
    } catch {
      // A log that fails is no reason to reject a message.
    }
  }
  const methods: Record<string, (...values: unknown[]) => void> = {
    assert: (condition, ...values) => {
      if (!condition) write('error', values.length > 0 ? ['Assertion failed:', ...values] : ['Assertion failed'])
    },
  }
  for (const [name, level] of Object.entries(LEVELS)) methods[name] = (...values) => write(level, values)
  for (const name of SILENT) methods[name] = () => {}
  return methods
}

function toText(values: unknown[]): string {
  let text: string
  try {
    text = formatWithOptions(FORMAT, ...values.map(value => (types.isNativeError(value) ? errorText(value) : value)))
  } catch {
    text = '[values that cannot be shown]'
  }
  return text.length > MAX_CONSOLE_TEXT ? `${text.slice(0, MAX_CONSOLE_TEXT - 1)}…` : text
}

const KINDS = [TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError] as const

/** An error's kind and message; its stack names the gate's own files. */
function errorText(error: Error): string {
  const prototype: unknown = Object.getPrototypeOf(error)
  const message: unknown = Object.getOwnPropertyDescriptor(error, 'message')?.value
  const kind = KINDS.find(({ prototype: known }) => known === prototype)?.name ?? 'Error'
  return typeof message === 'string' && message !== '' ? `${kind}: ${message}` : kind
}
