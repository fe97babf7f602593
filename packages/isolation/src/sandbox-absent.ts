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
