// Code as text, before it runs: where the body of an async function has a syntax error, and TypeScript without its types. Nothing of it runs here.
import { Script } from 'node:vm'

const STRICT = `'use strict';`
const ARROW = ['(async () => {', '\n})'] as const
const DECLARATION = ['async function body() {', '\n}'] as const

interface BodyError {
  /** `:line:column` in the text, or `:line`. Both begin at 1. */
  readonly position: string
  readonly message: string
}

interface Found {
  readonly line: number
  readonly column: number | undefined
  readonly message: string
}

/**
 * Returns the syntax error of the body of an async function in strict mode, if there is one. A body that closes its function and opens
 * another is an error too: what can follow an arrow function in parentheses, `,` or `)`, cannot follow a declaration.
 */
export function findBodyError(body: string): BodyError | undefined {
  const errors = [DECLARATION, ARROW].map(wrapper => parse(body, wrapper))
  if (errors.every(error => error === undefined)) return undefined
  const lines = body.split(/\r\n|[\n\r\u2028\u2029]/)
  const describe = ({ line, column, message }: Found): BodyError => {
    const place = column === undefined ? '' : `:${Math.max(1, column)}`
    return { position: `:${line}${place}`, message }
  }
  const inBody = errors.find(error => error !== undefined && error.line <= lines.length)
  if (inBody) return describe(inBody)
  // The parser has stopped behind the body, which closes its function or has left something open.
  const [before] = DECLARATION
  if (parse(body, [before, '']) === undefined) {
    const closed = body.slice(0, body.lastIndexOf('}')).split(/\r\n|[\n\r\u2028\u2029]/)
    return describe({ line: closed.length, column: closed.at(-1)!.length + 1, message: "Unexpected token '}'" })
  }
  const { message } = errors.find(error => error !== undefined)!
  return describe({
    line: lines.length,
    column: lines.at(-1)!.length + 1,
    message: message.startsWith('Unexpected token') ? 'Unexpected end of input' : message,
  })
}

function parse(body: string, [before, after]: readonly [string, string]): Found | undefined {
  const start = `${STRICT}${before}`
  try {
    void new Script(`${start}${body}${after}`, { filename: 'body' })
    return undefined
  } catch (error) {
    const { message, stack = '' } = error as Error
    // Node prints the line with a marker below it. A marker that would be far to the right is missing.
    const [, text = '1', marker] = /^body:(\d+)\n(?:.*\n([ \t]*)\^)?/.exec(stack) ?? []
    const line = Number(text)
    const column = marker === undefined ? undefined : marker.length + 1 - (line === 1 ? start.length : 0)
    return { line, column, message }
  }
}

// Removes the types of TypeScript from code as text, as Node itself does for files: blanks take their place, so that all else keeps its own.
// Before Node 22.13 the package `amaro` does it, which is what Node has inside, if it is installed (docs/adr/0033-code-as-text.md).

type Strip = (code: string) => string

interface NodeModule {
  stripTypeScriptTypes?(code: string, options: { mode: 'strip' }): string
  createRequire(url: string): (name: string) => unknown
}

interface Amaro {
  transformSync(code: string, options: { mode: 'strip-only' }): { code: string }
}

/** True if a name is that of TypeScript. */
export const isTypeScriptName = (name: string): boolean => /\.m?ts$/.test(name)

interface Mistake {
  readonly position: string
  readonly message: string
}

/** A body is parsed within a function, because it can return. */
const BODY = ['async () => {', '\n}'] as const

/**
 * Returns the code, or why it has none: the place of a mistake as `:line:column`, if it is known, and a message.
 *
 * @param isBody - whether the code is the body of an async function
 */
export function stripTypes(code: string, isBody: boolean): { code: string; mistake?: never } | { mistake: Mistake } {
  const strip = findStrip()
  if (!strip) {
    const remedy =
      'Run the host with Node.js 22.13 or later, install the package amaro, or remove the types first, for example with esbuild'
    return { mistake: { position: '', message: `Node.js ${process.versions.node} cannot remove its types. ${remedy}` } }
  }
  const [before, after] = isBody ? BODY : ['', '']
  try {
    const stripped = strip(`${before}${code}${after}`)
    return { code: stripped.slice(before.length, stripped.length - after.length) }
  } catch (error) {
    return { mistake: findMistake(error as Thrown, code, before.length) }
  }
}

function findStrip(): Strip | undefined {
  const { stripTypeScriptTypes, createRequire } = process.getBuiltinModule('node:module') as NodeModule
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

interface Thrown {
  readonly message: string
  readonly stack?: string
  /** From 1. */
  readonly startLine?: number
  /** From 0. */
  readonly startColumn?: number
}

function findMistake(thrown: Thrown, code: string, offset: number): Mistake {
  const { message } = thrown
  const [line, column] = thrown.startLine === undefined ? readPlace(thrown) : [thrown.startLine, thrown.startColumn]
  if (line === undefined) return { position: '', message }
  const lines = code.split(/\r\n|[\n\r\u2028\u2029]/)
  if (line > lines.length) return { position: `:${lines.length}:${lines.at(-1)!.length + 1}`, message }
  const text = column === undefined ? '' : `:${Math.max(1, column + 1 - (line === 1 ? offset : 0))}`
  return { position: `:${line}${text}`, message }
}

/** Node prints the number of the line, some lines before it, and a marker below it. At the end of the code there is no marker. */
function readPlace({ stack = '' }: Thrown): readonly [line?: number, column?: number | undefined] {
  const [, line] = /^.*:(\d+)\n/.exec(stack) ?? []
  if (line === undefined) return []
  const [, marker] = /^([ \t]*)\^+$/m.exec(stack) ?? []
  return [Number(line), marker?.length]
}
