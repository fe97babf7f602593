// Adds to errors of scripts what the engine does not say: the name of what is not a function, and what to use in place of what a script
// has not.
import { isBuiltin } from 'node:module'

const NODE = 'A script has nothing of Node.js. Use a command, or sandbox: "process"'
const PAGE = 'A script has no page'
/** Names that code finds elsewhere. */
const MISSING = new Map([
  ...['process', 'Buffer', '__dirname', '__filename', 'global'].map(name => [name, NODE] as const),
  ...['window', 'document', 'localStorage', 'sessionStorage', 'navigator', 'alert'].map(name => [name, PAGE] as const),
  ...['module', 'exports'].map(
    name => [name, 'A script is not a CommonJS module. Return a value from bus.run, or expose functions'] as const,
  ),
  ...['fetch', 'XMLHttpRequest', 'WebSocket'].map(
    name =>
      [name, 'Use a command, or fetch with sandbox: { kind: "quickjs", process: true, net: ["example.com"] }'] as const,
  ),
  ['require', 'Use await import() for a module of the option "modules", or a command for what Node.js has'],
  ['Intl', 'Use a command, or sandbox: "process"'],
  ['Worker', 'Use bus.run in the host for code that runs beside other code'],
])

/** Remedy for an import of a module that the script does not have. */
export const getImportRemedy = (name: string, bundle: string): string => (isBuiltin(name) ? NODE : bundle)

/**
 * @param getLines - returns those of the code, if they are needed
 * @param place - in the code; none if the error is not of its file
 */
export function explainError(
  { name, message }: { readonly name?: string | undefined; readonly message: string },
  getLines: () => readonly string[],
  place: readonly [line: number, column: number] | undefined,
): string {
  const [, missing] = (name === 'ReferenceError' && /^'?([\w$]+)'? is not defined$/.exec(message)) || []
  const remedy = missing !== undefined && MISSING.get(missing)
  if (remedy) return `${message}. ${remedy}`
  if (name !== 'TypeError' || message !== 'not a function' || !place) return message
  const lines = getLines()
  if (lines[0]?.startsWith('```')) return `${message}. ${FENCE}`
  const callee = findCallee(lines[place[0] - 1] ?? '', place[1])
  return callee === undefined ? message : `${callee} is not a function`
}

/** Characters around a place that are read: a script can have lines of any length, and the script host has other scripts. */
const READ_LENGTH = 100

/** Returns the name around a column that is called, such as `notes.search`. */
function findCallee(line: string, column: number): string | undefined {
  const start = Math.max(0, column - 1 - READ_LENGTH)
  const at = column - 1 - start
  for (const { 0: text, index } of line
    .slice(start, column + READ_LENGTH)
    .matchAll(/[\w$]+(?:\s*\??\.\s*#?[\w$]+)*(?=\s*(?:\?\.)?\()/g)) {
    // The engine's column is that of the parenthesis, or of the last dot.
    if (at >= index && at <= index + text.length) return text.replaceAll(/\s/g, '')
  }
  return undefined
}

const FENCE = 'The code begins with a fence of Markdown: pass it without ```'

/** Returns the message of a syntax error in a line of the code. */
export function explainSyntax(message: string, line: string, column: number, isBody: boolean): string {
  const head = line.slice(0, READ_LENGTH)
  if (/^\s*```/.test(head)) return FENCE
  if (/\bawait\s*$/.test(line.slice(Math.max(0, column - READ_LENGTH), column - 1)))
    return `${message}: await is only valid in an async function`
  if (!isBody) return message
  if (/^\s*import\b(?!\s*[.(])/.test(head))
    return `${message}: the code is the body of a function. Use await import() instead`
  if (/\bexport\b/.test(message)) return `${message}: the code is the body of a function. Return a value instead`
  if (message === 'missing initializer for variable') return `${message}. For TypeScript, set language: "typescript"`
  return message
}
