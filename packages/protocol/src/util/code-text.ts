// Code as text, before it runs: where the body of an async function has a syntax error, and TypeScript
// without its types, as Node itself removes them from files: blanks take their place, so that all else keeps its own. Before Node 22.13 the package
// `amaro` does it, which is what Node has inside, if it is installed (docs/adr/0033-code-as-text.md). Nothing of it runs here.
import { Script } from 'node:vm'

interface Mistake {
  /** `:line:column` in the text, or `:line`. Both begin at 1. Empty if it is unknown. */
  readonly position: string
  readonly message: string
}

const LINE_END = /\r\n|[\n\r\u2028\u2029]/
const STRICT = `'use strict';`
const DECLARATION = [`${STRICT}async function body() {`, '\n}'] as const
const ARROW = [`${STRICT}(async () => {`, '\n})'] as const

/**
 * Returns the syntax error of the body of an async function in strict mode, if there is one. A body that closes its function and opens
 * another is an error too: what can follow an arrow function in parentheses, `,` or `)`, cannot follow a declaration.
 */
export function findBodyError(body: string): Mistake | undefined {
  const errors = [DECLARATION, ARROW].flatMap(([before, after]) => parse(body, before, after) ?? [])
  const found = errors.find(({ position }) => position !== undefined) ?? errors[0]
  if (!found) return undefined
  const { position, message } = found
  if (position !== undefined) return { position, message }
  // The parser has stopped behind the body, which closes its function or has left something open.
  if (!parse(body, DECLARATION[0], ''))
    return { position: getEnd(body.slice(0, body.lastIndexOf('}'))), message: "Unexpected token '}'" }
  const isOpen = message.startsWith('Unexpected token')
  return { position: getEnd(body), message: isOpen ? 'Unexpected end of input' : message }
}

type Found = { position: string | undefined; message: string }

function parse(body: string, before: string, after: string): Found | undefined {
  try {
    void new Script(before + body + after)
    return undefined
  } catch (error) {
    return { position: findPosition(error as Thrown, body, before.length), message: (error as Thrown).message }
  }
}

interface Thrown {
  readonly message: string
  readonly stack?: string
  /** From 1. */
  readonly startLine?: number
  /** From 0. */
  readonly startColumn?: number
}

/** Returns where code that follows `offset` characters has a mistake, or `undefined` for one behind it. */
function findPosition(
  { stack = '', startLine, startColumn }: Thrown,
  code: string,
  offset: number,
): string | undefined {
  // Node prints the number of the line, some lines before it, and a marker below it. There is none at the end of the code, or far to the right.
  const line = startLine ?? Number(/^.*:(\d+)\n/.exec(stack)?.[1] ?? 0)
  const column = startLine === undefined ? /^([ \t]*)\^+$/m.exec(stack)?.[1]!.length : startColumn
  if (line === 0) return ''
  if (line > code.split(LINE_END).length) return undefined
  return column === undefined ? `:${line}` : `:${line}:${Math.max(1, column + 1 - (line === 1 ? offset : 0))}`
}

function getEnd(code: string): string {
  const lines = code.split(LINE_END)
  return `:${lines.length}:${lines.at(-1)!.length + 1}`
}

interface NodeModule {
  stripTypeScriptTypes?(code: string, options: { mode: 'strip' }): string
  createRequire(url: string): (name: string) => unknown
}

interface Amaro {
  transformSync(code: string, options: { mode: 'strip-only' }): { code: string }
}

/** True if a name is that of TypeScript. */
export const isTypeScriptName = (name: string): boolean => /\.m?ts$/.test(name)

/** Returns the code, or why it has none. @param isBody - whether the code is the body of an async function, which can return */
export function stripTypes(code: string, isBody: boolean): { code: string; mistake?: never } | { mistake: Mistake } {
  const strip = findStrip()
  if (!strip) {
    const remedy =
      'Run the host with Node.js 22.13 or later, install the package amaro, or remove the types first, for example with esbuild'
    return { mistake: { position: '', message: `Node.js ${process.versions.node} cannot remove its types. ${remedy}` } }
  }
  const [before, after] = isBody ? ARROW : ['', '']
  try {
    const stripped = strip(`${before}${code}${after}`)
    return { code: stripped.slice(before.length, stripped.length - after.length) }
  } catch (error) {
    const position = findPosition(error as Thrown, code, before.length) ?? getEnd(code)
    return { mistake: { position, message: (error as Thrown).message } }
  }
}

function findStrip(): ((code: string) => string) | undefined {
  const { stripTypeScriptTypes, createRequire }: NodeModule = process.getBuiltinModule('node:module')
  if (stripTypeScriptTypes) return code => withoutWarnings(() => stripTypeScriptTypes(code, { mode: 'strip' }))
  try {
    const { transformSync } = createRequire(import.meta.url)('amaro') as Amaro
    return code => transformSync(code, { mode: 'strip-only' }).code
  } catch {
    return undefined
  }
}

/** Node calls it an experiment, which its user cannot see. */
function withoutWarnings<T>(run: () => T): T {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return run()
  } finally {
    process.emitWarning = emitWarning
  }
}
