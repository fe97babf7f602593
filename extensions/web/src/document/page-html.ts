// The text of a page: adds scripts at its start, and computes the hashes of the inline scripts and styles that it contains.
import { createHash } from 'node:crypto'

/** The start of a page, before any script: white space, comments, the doctype, `<html>` and `<head>`. */
const BEFORE_SCRIPTS =
  /^(?:\s|<!--(?:-?>|.*?--!?>)|<!doctype[^>]*>|<(?:html|head)(?:\s(?:[^"'>]|"[^"]*"|'[^']*')*)?>)*/is

/** Characters of a page that are searched for its start. A longer start would exceed the stack of the expression. */
const MAX_START = 2 ** 16

/** Adds the scripts at these URLs before all others of a page. */
export function addScripts(html: string, urls: readonly string[]): string {
  const [start] = BEFORE_SCRIPTS.exec(html.slice(0, MAX_START))!
  const tags = urls.map(url => `<script src="${url}"></script>`)
  return start + tags.join('') + html.slice(start.length)
}

/** Sources of a content security policy that allow the inline elements of one page. */
export interface InlineHashes {
  readonly scripts: readonly string[]
  readonly styles: readonly string[]
}

const COMMENT_OR_ELEMENT = /<!--[^]*?-->|<(script|style)((?:\s(?:[^"'>]|"[^"]*"|'[^']*')*)?)>([^]*?)<\/\1\s*>/gi

export function hashInlineElements(html: string): InlineHashes {
  const hashes = { scripts: new Set<string>(), styles: new Set<string>() }
  for (const [, name, attributes = '', text = ''] of html.matchAll(COMMENT_OR_ELEMENT)) {
    if (name === undefined || text === '' || /\ssrc\s*=/i.test(attributes)) continue
    hashes[name.toLowerCase() === 'script' ? 'scripts' : 'styles'].add(hash(text))
  }
  return { scripts: [...hashes.scripts], styles: [...hashes.styles] }
}

/** Browsers hash the text after they have changed its line ends. */
const hash = (text: string): string =>
  `'sha256-${createHash('sha256').update(text.replaceAll(/\r\n?/g, '\n')).digest('base64')}'`
