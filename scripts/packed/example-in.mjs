// Takes a page's example out of its fenced blocks: the files by name, and the output that follows host.mjs.

/**
 * The files that name themselves in their first line, and the first `text` block after `host.mjs`.
 *
 * @param {string} markdown
 */
export function exampleIn(markdown) {
  /** @type {Map<string, string>} */
  const files = new Map()
  /** @type {string | undefined} */
  let output
  for (const [, language, code = ''] of markdown.matchAll(/^```(\w+)\n([^]*?)^```$/gm)) {
    const name = /^(?:\/\/|<!--) ([\w./-]+\.(?:m?js|json|html))(?: -->)?$/m.exec(code.slice(0, code.indexOf('\n')))?.[1]
    if (name) files.set(name, code)
    else if (language === 'text' && files.has('host.mjs')) output ??= code
  }
  return { files, output }
}
