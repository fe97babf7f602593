// Finds the classic scripts of an isolation app's index.html, in the order in which a browser runs them. What a browser
// would not run as a classic script is either data (left alone) or a mistake worth naming (a module).
import type { Parser } from 'htmlparser2'
// The one entry that loads the parser alone: with the package's own, its trees and tools take 13 ms more of each start.
import { WritableStream } from 'htmlparser2/WritableStream'

/** One script element: `src` as written, or the text between its tags. `line` counts from 1. */
export interface ScriptElement {
  readonly line: number
  readonly src: string | undefined
  readonly text: string
  readonly module: boolean
}

// HTML's list of JavaScript MIME types (https://mimesniff.spec.whatwg.org/#javascript-mime-type).
const JAVASCRIPT =
  /^(?:(?:application|text)\/(?:x-)?(?:java|ecma)script|text\/(?:jscript|livescript|javascript1\.[0-5]))$/
// What stands in these is not run: a template's content is inert, noscript is for a browser without scripts.
const INERT = new Set(['template', 'noscript'])

/**
 * The scripts of a document, in document order. `async` and `defer` change nothing: without a network there is nothing
 * to wait for, and no document that could still be growing. `nomodule` scripts are skipped, as in any current browser.
 */
export function findScripts(html: string): ScriptElement[] {
  const scripts: ScriptElement[] = []
  let open: { line: number; src: string | undefined; module: boolean } | undefined
  let text = ''
  let inert = 0
  let line = 1
  let counted = 0
  const lineAt = (offset: number): number => {
    for (; counted < offset; counted += 1) if (html.charCodeAt(counted) === 10) line += 1
    return line
  }
  let parser!: Parser
  const input = new WritableStream({
    onparserinit(given) {
      parser = given
    },
    onopentag(name, attributes) {
      if (INERT.has(name)) inert += 1
      if (name !== 'script' || inert > 0) return
      const kind = kindOf(attributes)
      if (kind === 'data') return
      // The line on which the tag ends: the one that an inline script's first line belongs to.
      open = { line: lineAt(parser.endIndex), src: attributes['src'], module: kind === 'module' }
      text = ''
    },
    ontext(data) {
      if (open) text += data
    },
    onclosetag(name) {
      if (INERT.has(name)) inert -= 1
      if (name !== 'script' || !open) return
      scripts.push({ ...open, text })
      open = undefined
    },
  })
  input.write(html)
  parser.end()
  return scripts
}

// https://html.spec.whatwg.org/multipage/scripting.html#prepare-the-script-element, steps 8 to 11 and 21.
function kindOf(attributes: Record<string, string>): 'classic' | 'module' | 'data' {
  const { type, language, nomodule } = attributes
  let mime = 'text/javascript'
  if (type !== undefined) mime = type.trim().toLowerCase() || mime
  else if (language) mime = `text/${language.toLowerCase()}`
  if (mime === 'module') return 'module'
  return JAVASCRIPT.test(mime) && nomodule === undefined ? 'classic' : 'data'
}
