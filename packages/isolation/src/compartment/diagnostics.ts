// Warnings and error texts for the authors of hooks, about what the sandbox does not have or refuses to run.
import { Script } from 'node:vm'
import { readStack } from '@sallyport/protocol/internal/util'

/** Names of browsers and Node that the sandbox does not have. */
const MISSING_NAMES = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'requestAnimationFrame', 'structuredClone'],
  ...['fetch', 'XMLHttpRequest', 'WebSocket', 'URL', 'URLSearchParams', 'Blob', 'AbortController', 'MessageChannel'],
  ...['document', 'localStorage', 'sessionStorage', 'indexedDB', 'navigator', 'crypto', 'performance', 'atob', 'btoa'],
  ...['alert', 'prompt', 'addEventListener', 'postMessage', 'require', 'process', 'Buffer', 'Intl', 'Atomics'],
]

/**
 * Returns a warning about names that a script uses and its sandbox does not have. Using such a name throws, and errors of a hook are
 * never shown. Only the text is searched, so the warning can be wrong.
 */
export function describeMissingNames(script: string, source: string): string | undefined {
  const names = MISSING_NAMES.filter(name => {
    // Most names do not occur: compiling their expressions would take a tenth of a gate's start.
    if (!source.includes(name)) return false
    const used = new RegExp(`(?:^|[^.\\w$'"\`-]|\\b(?:window|self|globalThis)\\.)${name}\\s*(?:\\?\\.|[.(])`, 'm')
    const declared = new RegExp(`\\b(?:const|let|var|function|class)\\s+${name}\\b`)
    return used.test(source) && !declared.test(source)
  })
  return names.length === 0 ? undefined : `${script} uses names that are undefined in the sandbox: ${names.join(', ')}`
}

/** Expressions that SES refuses to run, by the code of its error. */
const REFUSALS: Record<string, string> = {
  SES_HTML_COMMENT_REJECTED: `'<!--' or '-->', which the sandbox takes for an HTML comment`,
  SES_IMPORT_REJECTED: `'import(' or 'import.', which the sandbox takes for a dynamic import`,
  SES_EVAL_REJECTED: `'eval(', which the sandbox takes for a direct eval`,
}

/** Explains an error of SES, which refuses expressions by their text. Returns `undefined` for any other error. */
export function explainRefusal(message: string, locate: (line: number) => string): string | undefined {
  const [, line, code = ''] = /:(\d+)\. \((SES_\w+)\)$/.exec(message) ?? []
  const expression = REFUSALS[code]
  if (expression === undefined) return undefined
  return `${locate(Number(line))}: it contains ${expression}, even in a string or a comment: write it in two pieces`
}

const STRICT = `'use strict';`

/** Compiles a script in strict mode, as in the sandbox, without running it. Returns its syntax error, if there is one. */
export function findSyntaxError(
  source: string,
  file: string,
  firstLine: number,
): { place: string; message: string } | undefined {
  try {
    void new Script(`${STRICT}${source}`, { filename: file, lineOffset: firstLine - 1 })
    return undefined
  } catch (error) {
    const { message } = error as Error
    const stack = readStack(error)
    const position = stack.startsWith(`${file}:`) ? stack.slice(file.length + 1) : ''
    const [line] = /^\d+(?=\n)/.exec(position) ?? []
    return { place: line === undefined ? file : `${file}:${line}`, message }
  }
}
