// Reads the code of a model, of whatever form: in a fence of Markdown or not, statements, an expression or a function.
import * as nodeModule from 'node:module'
import { type Options, parse, type Statement, type ModuleDeclaration } from 'acorn'

const BODY: Options = {
  ...{ ecmaVersion: 'latest', sourceType: 'module' },
  ...{ allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true },
}
/** No literal of JavaScript has a line that begins so. */
const FENCE = /^[ \t]*(`{3,})[^\n`]*\n([^]*?)(?:^[ \t]*\1|(?![^]))/m
/** A function of TypeScript that is all of the code. */
const TYPED_FUNCTION = /^\s*(?:async\s+)?(?:function\s*\*?\s*\(|(?:\([^()]*\)\s*(?::[^={]+)?|[\w$]+\s*)=>)/

/** What a run returns for code that returns `undefined`, which no codec can tell from `null`. */
export const NOTHING = '\0nothing'
const BEFORE = 'const $code = async () => {'
const AFTER = `
}; let $value = await $code(); if (typeof $value === 'function') $value = await $value();
return $value === undefined ? ${JSON.stringify(NOTHING)} : $value`

export interface ReadCode {
  /** The code of the model, without a fence. */
  readonly text: string
  /** What a run begins with, in one line. */
  readonly before: string
  /** The rest of the run, whose lines are those of the code. Code with a syntax error is as it was. */
  readonly code: string
  readonly language: 'javascript' | 'typescript'
}

/**
 * The host only parses the code as JavaScript, which takes time in proportion to its length: the parser of types can take for ever. Other code
 * has types, if Node.js can remove them, from 22.13 on, or amaro is installed.
 */
export function readCode(content: string): ReadCode {
  const fence = FENCE.exec(content)
  const isFenced = fence && (content.slice(0, fence.index).trim() === '' || !parseBody(content))
  const text = isFenced ? fence[2]! : content
  const body = parseBody(text)
  if (!body && !canRemoveTypes()) return { text, before: '', code: text, language: 'javascript' }
  const result = body ? findResult(body, text) : TYPED_FUNCTION.exec(text) && { start: 0, from: 0, end: text.length }
  const returned = result ? `return (${text.slice(result.from, result.end).replace(/;\s*$/, '')}\n)` : ''
  const code = result ? text.slice(0, result.start) + returned + text.slice(result.end) : text
  return { text, before: BEFORE, code: `${code}${AFTER}`, language: body ? 'javascript' : 'typescript' }
}

function parseBody(text: string): readonly (Statement | ModuleDeclaration)[] | undefined {
  try {
    return parse(text, BODY).body
  } catch {
    return undefined
  }
}

/** Returns where the last expression is, or the only function. It begins behind `export default`, which is left out. */
function findResult(body: NonNullable<ReturnType<typeof parseBody>>, text: string) {
  const last = body.at(-1)
  if (!last) return undefined
  const { type, start, end } = last
  if (type === 'ExportDefaultDeclaration') return { start, end, from: text.indexOf('default', start) + 7 }
  const isResult = type === 'ExpressionStatement' || (type === 'FunctionDeclaration' && body.length === 1)
  return isResult ? { start, end, from: start } : undefined
}

function canRemoveTypes(): boolean {
  try {
    return 'stripTypeScriptTypes' in nodeModule || nodeModule.createRequire(import.meta.url).resolve('amaro') !== ''
  } catch {
    return false
  }
}
