// Finds the syntax error of a text that becomes the body of an async function. The text is parsed, but nothing of it runs.
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
