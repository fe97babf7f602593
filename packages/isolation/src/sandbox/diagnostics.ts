// A browser has names that the sandbox lacks. There a use of one is an undefined value that throws, and what a hook
// throws is never shown: so that its author need not guess, such names are found in the text, for a warning.

const ABSENT = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'requestAnimationFrame', 'structuredClone'],
  ...['fetch', 'XMLHttpRequest', 'WebSocket', 'URL', 'URLSearchParams', 'Blob', 'AbortController', 'MessageChannel'],
  ...['document', 'localStorage', 'sessionStorage', 'indexedDB', 'navigator', 'crypto', 'performance', 'atob', 'btoa'],
  ...['alert', 'prompt', 'addEventListener', 'postMessage', 'require', 'process', 'Buffer', 'Intl', 'Atomics'],
]

/**
 * Names of browsers (and Node) that a script uses and its sandbox has not. By its text alone: a hint, not a verdict.
 *
 * @param has what this sandbox has beside JavaScript's own objects
 */
export function absentNames(source: string, has: object = {}): string[] {
  return ABSENT.filter(name => {
    if (Object.hasOwn(has, name)) return false
    // Most names are not there at all: to compile their expressions would take a tenth of a gate's own start.
    if (!source.includes(name)) return false
    const used = new RegExp(`(?:^|[^.\\w$'"\`-]|\\b(?:window|self|globalThis)\\.)${name}\\s*(?:\\?\\.|[.(])`, 'm')
    const declared = new RegExp(`\\b(?:const|let|var|function|class)\\s+${name}\\b`)
    return used.test(source) && !declared.test(source)
  })
}

// What SES refuses to run by a look at its text, in words that its author can act on.

const REFUSALS: Record<string, string> = {
  SES_HTML_COMMENT_REJECTED: `'<!--' or '-->', which the sandbox takes for an HTML comment`,
  SES_IMPORT_REJECTED: `'import(' or 'import.', which the sandbox takes for a dynamic import`,
  SES_EVAL_REJECTED: `'eval(', which the sandbox takes for a direct eval`,
}

/** What SES refuses without parsing, in words: `undefined` for any other message. */
export function explainRefusal(message: string, locate: (line: number) => string): string | undefined {
  const [, line, code = ''] = /:(\d+)\. \((SES_\w+)\)$/.exec(message) ?? []
  const what = REFUSALS[code]
  if (what === undefined) return undefined
  return `${locate(Number(line))}: it contains ${what}, even in a string or a comment: write it in two pieces`
}
