// The console of a hook. Each call becomes one line in the host's log. Values are formatted here, without running
// their getters, inspectors or proxies, so that only text leaves the sandbox.
import { formatWithOptions, types } from 'node:util'

export type ConsoleLevel = 'debug' | 'info' | 'warn' | 'error'

export type ConsoleSink = (level: ConsoleLevel, text: string) => void

/** Limit of a text in UTF-16 code units. A longer text is cut, and ends with `…`. */
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

const METHODS: Record<ConsoleLevel, readonly string[]> = {
  debug: ['debug', 'trace'],
  info: ['log', 'info', 'dir', 'dirxml', 'table', 'group', 'groupCollapsed'],
  warn: ['warn'],
  error: ['error'],
}
const SILENT = ['clear', 'count', 'countReset', 'groupEnd', 'time', 'timeEnd', 'timeLog', 'timeStamp'] as const

/** Creates a console whose methods never throw. */
export function createConsole(sink: ConsoleSink): Record<string, (...values: unknown[]) => void> {
  const write = (level: ConsoleLevel, values: unknown[]): void => {
    try {
      sink(level, toText(values))
    } catch {
      // A failure to log must not reject a message.
    }
  }
  const methods: Record<string, (...values: unknown[]) => void> = {
    assert: (condition, ...values) => {
      if (!condition) write('error', values.length > 0 ? ['Assertion failed:', ...values] : ['Assertion failed'])
    },
  }
  for (const [level, names] of Object.entries(METHODS) as [ConsoleLevel, readonly string[]][]) {
    for (const name of names) methods[name] = (...values) => write(level, values)
  }
  for (const name of SILENT) methods[name] = () => {}
  return methods
}

function toText(values: unknown[]): string {
  let text: string
  try {
    text = formatWithOptions(FORMAT, ...values.map(value => (types.isNativeError(value) ? formatError(value) : value)))
  } catch {
    text = '[values that cannot be shown]'
  }
  return text.length > MAX_CONSOLE_TEXT ? `${text.slice(0, MAX_CONSOLE_TEXT - 1)}…` : text
}

const ERROR_CLASSES = [TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError] as const

/** Returns an error's class and message. Its stack would contain the paths of the gate's own files. */
function formatError(error: Error): string {
  const prototype: unknown = Object.getPrototypeOf(error)
  const message: unknown = Object.getOwnPropertyDescriptor(error, 'message')?.value
  const kind = ERROR_CLASSES.find(errorClass => errorClass.prototype === prototype)?.name ?? 'Error'
  return typeof message === 'string' && message !== '' ? `${kind}: ${message}` : kind
}
