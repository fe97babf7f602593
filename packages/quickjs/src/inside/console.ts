// The console of a script in QuickJS. Each call becomes one line of the script's output. Getters do not run.
import { MAX_LINE_LENGTH } from '../script-host/crossing.js'
import { post } from './port.js'

const MAX_DEPTH = 4
const MAX_ITEMS = 100

const isIdentifier = (key: string): boolean => /^[$A-Z_a-z][\w$]*$/.test(key)

function inspect(value: unknown, depth: number, seen: readonly object[]): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return value.name ? `[Function: ${value.name}]` : '[Function]'
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  if (seen.includes(value)) return '[Circular]'
  if (value instanceof Error) return describe(value)
  if (value instanceof Date) return Number.isNaN(Number(value)) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (value instanceof Promise) return 'Promise {}'
  if (depth > MAX_DEPTH) return Array.isArray(value) ? '[Array]' : '[Object]'
  const next = (item: unknown): string => inspect(item, depth + 1, [...seen, value])
  const shorten = (items: string[], size: number): string =>
    [...items, ...(size > items.length ? [`... ${size - items.length} more`] : [])].join(', ')
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const list = value as unknown as ArrayLike<unknown>
    const items = Array.from({ length: Math.min(list.length, MAX_ITEMS) }, (_, index) => next(list[index]))
    return `${Array.isArray(value) ? '' : `${value.constructor.name}(${list.length}) `}[ ${shorten(items, list.length)} ]`.replace(
      '[  ]',
      '[]',
    )
  }
  if (value instanceof Map)
    return `Map(${value.size}) {${[...value].map(([key, item]) => `${next(key)} => ${next(item)}`).join(', ')}}`
  if (value instanceof Set) return `Set(${value.size}) {${[...value].map(next).join(', ')}}`
  const prototype: unknown = Object.getPrototypeOf(value)
  const prefix =
    prototype === null
      ? '[Object: null prototype] '
      : prototype === Object.prototype
        ? ''
        : `${getClassName(prototype)} `
  const keys = Object.keys(value)
  const entries = keys.slice(0, MAX_ITEMS).map(key => {
    const descriptor = Object.getOwnPropertyDescriptor(value, key)
    return `${isIdentifier(key) ? key : JSON.stringify(key)}: ${descriptor && 'value' in descriptor ? next(descriptor.value) : '[Getter]'}`
  })
  return entries.length === 0 ? `${prefix}{}` : `${prefix}{ ${shorten(entries, keys.length)} }`
}

function getClassName(prototype: unknown): string {
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  return typeof constructor === 'function' ? constructor.name : 'Object'
}

function describe(error: Error): string {
  const stack: unknown = Object.getOwnPropertyDescriptor(error, 'stack')?.value
  const title = `${error.name}: ${error.message}`
  return typeof stack === 'string' && stack !== '' ? `${title}\n${stack.trimEnd()}` : title
}

function format(values: readonly unknown[]): string {
  let rest = values
  let text = ''
  if (typeof values[0] === 'string' && values.length > 1 && values[0].includes('%')) {
    let index = 1
    text = values[0].replaceAll(/%[%sdifjoOc]/g, code => {
      if (code === '%%') return '%'
      if (index >= values.length) return code
      const value = values[index++]
      if (code === '%c') return ''
      if (code === '%s') return typeof value === 'string' ? value : inspect(value, 1, [])
      if (code === '%d' || code === '%f') return String(Number(value))
      if (code === '%i') return String(Math.trunc(Number(value)))
      return code === '%j' ? JSON.stringify(value) : inspect(value, 0, [])
    })
    rest = [text, ...values.slice(index)]
  }
  return rest.map(value => (typeof value === 'string' ? value : inspect(value, 0, []))).join(' ')
}

let indent = ''
const counts = new Map<string, number>()
const timers = new Map<string, number>()

function printTime(label: unknown, values: readonly unknown[]): void {
  const start = timers.get(String(label))
  if (start !== undefined) print('stdout', [`${String(label)}: ${(performance.now() - start).toFixed(3)}ms`, ...values])
}

function print(stream: string, values: readonly unknown[]): void {
  let text: string
  try {
    text = format(values)
  } catch {
    text = '[values that cannot be shown]'
  }
  const indented = indent === '' ? text : `${indent}${text.replaceAll('\n', `\n${indent}`)}`
  post('print', [stream, indented.length > MAX_LINE_LENGTH ? `${indented.slice(0, MAX_LINE_LENGTH - 1)}…` : indented])
}

type Method = (...values: unknown[]) => void
export const console: Record<string, Method> = {
  assert: (condition, ...values) => {
    if (!condition) print('stderr', values.length > 0 ? ['Assertion failed:', ...values] : ['Assertion failed'])
  },
  count(label = 'default') {
    const count = (counts.get(String(label)) ?? 0) + 1
    counts.set(String(label), count)
    print('stdout', [`${String(label)}: ${count}`])
  },
  countReset: (label = 'default') => void counts.delete(String(label)),
  time: (label = 'default') => void timers.set(String(label), performance.now()),
  timeLog: (label = 'default', ...values) => printTime(label, values),
  timeEnd(label = 'default') {
    printTime(label, [])
    timers.delete(String(label))
  },
  group(...values) {
    if (values.length > 0) print('stdout', values)
    indent += '  '
  },
  groupEnd: () => void (indent = indent.slice(2)),
}
for (const name of ['log', 'info', 'debug', 'trace', 'dir', 'dirxml', 'table']) {
  console[name] = (...values) => print('stdout', values)
}
console['groupCollapsed'] = console['group']!
for (const name of ['warn', 'error']) console[name] = (...values) => print('stderr', values)
for (const name of ['clear', 'timeStamp']) {
  console[name] = () => {}
}
