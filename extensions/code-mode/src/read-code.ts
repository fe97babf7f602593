// Reads the code of a model, of whatever form: in a fence of Markdown or not, statements, an expression or a function.
import * as nodeModule from 'node:module'
import { type ModuleDeclaration, type Options, Parser, type Statement } from 'acorn'

const OPTIONS: Options = {
  ecmaVersion: 'latest',
  sourceType: 'module',
  allowReturnOutsideFunction: true,
  allowAwaitOutsideFunction: true,
}

/**
 * Without the checks of names and of regular expressions, which take time in proportion to the square of the code's length and more, in the
 * thread of the host. The engine has them, too.
 */
const SyntaxParser = Parser.extend(
  Base =>
    class extends Base {
      declareName(): void {}
      validateRegExpPattern(): void {}
    },
)
/** A fence can be in a fence: each is searched from its start. */
const MAX_FENCES = 3
/** The end can be missing, or be in the last line of code. */
const FENCE = /^[ \t]*(`{3,16})(?:[^\n`]*\n)?([^]*?)(?:^[ \t]*\1|\1\s*(?![^])|(?![^]))/m
const TYPED_FUNCTION = /^\s*(?:async\s+)?(?:function\s*(?:\*\s*)?\(|(?:\([^()]*\)\s*(?::[^={]+)?|[\w$]+\s*)=>)/

/** What a run returns for code that returns `undefined`, which no codec can tell from `null`. */
export const NOTHING = '\0nothing'
const BEFORE = 'const $code = async () => {\n'
const AFTER = `
}; let $value = await $code(); if (typeof $value === 'function') $value = await $value();
return $value === undefined ? ${JSON.stringify(NOTHING)} : $value`

export interface ReadCode {
  readonly text: string
  /** The body of a run, whose first lines are those of the code. Code with a syntax error is as it was. */
  readonly body: string
  readonly before: string
  readonly language: 'javascript' | 'typescript'
}

/**
 * The host only parses the code as JavaScript, which takes time in proportion to its length: the parser of types can take for ever. Other code
 * has types, if Node.js can remove them, from 22.13 on, or amaro is installed.
 */
export function readCode(content: string): ReadCode {
  const text = removeFence(content)
  const statement = returnLast(text)
  if (statement !== undefined) return { text, body: statement + AFTER, before: BEFORE, language: 'javascript' }
  if (!canRemoveTypes()) return { text, body: text, before: '', language: 'javascript' }
  const code = TYPED_FUNCTION.test(text) ? toReturn(text) : text
  return { text, body: code + AFTER, before: BEFORE, language: 'typescript' }
}

function removeFence(content: string, outer = 0): string {
  const fence = outer < MAX_FENCES && FENCE.exec(content)
  // A fence is JavaScript, too: templates in a row. In a comment or a text, three other characters are just as good.
  const isFenced = fence && !parseCode(content.replaceAll('```', '@'))
  return isFenced ? removeFence(fence[2]!, outer + 1) : content
}

/** Returns JavaScript that returns what the code is an expression of, or ends with. `undefined` if it cannot be parsed. */
function returnLast(text: string): string | undefined {
  const whole = toReturn(text)
  if (parseCode(whole)) return whole
  const statements = parseCode(text)
  const last = statements?.findLast(({ type }) => type !== 'EmptyStatement')
  if (last?.type !== 'ExpressionStatement' && last?.type !== 'ExportDefaultDeclaration') return statements && text
  return text.slice(0, last.start) + toReturn(text.slice(last.start, last.end)) + text.slice(last.end)
}

const toReturn = (value: string): string =>
  `return (${value.replace(/^export\s+default\b/, '').replace(/;\s*$/, '')}\n)`

function parseCode(text: string): readonly (Statement | ModuleDeclaration)[] | undefined {
  try {
    return SyntaxParser.parse(text, OPTIONS).body
  } catch {
    return undefined
  }
}

function canRemoveTypes(): boolean {
  try {
    return 'stripTypeScriptTypes' in nodeModule || nodeModule.createRequire(import.meta.url).resolve('amaro') !== ''
  } catch {
    return false
  }
}
