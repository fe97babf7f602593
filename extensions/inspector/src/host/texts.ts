// Texts of frontends made fit to be shown, and what an error says: its file and line, and a link into the editor.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { findPlace, getUserStack } from '@sallyport/protocol/internal/errors'

const BELOW = /^(?![/\\]|[A-Za-z]:)([^\p{C}:]+\.[cm]?[jt]sx?)((?::\d{1,7}){1,2})$/u

/** An error of supervision has the last error as its cause, and repeats its text. */
function getShown(error: Error): Error {
  const { cause } = error
  return cause instanceof Error && error.message.endsWith(`Last error: ${cause.message}`) ? cause : error
}

/** Returns the text of an error, and the first file in its stack that is not this library's: `src/main.mjs:4:53`. */
export function describeError(error: Error): { error: string; where: string } {
  const shown = getShown(error)
  const where = toPrintable(findPlace({ stack: getUserStack(shown) }), MAX_TEXT)
  return { error: toPrintable(shown.message, MAX_TEXT), where }
}

/**
 * Returns a URL that opens a file in an editor. A plugin can forge the stack of an error, so only files below the working directory
 * have one. Code as text has a name, but no file.
 * @param editor - the URL, with `{file}`, `{line}` and `{column}`
 */
export function getEditorUrl(where: string, editor: string): string | undefined {
  const [, file, place = ''] = BELOW.exec(where) ?? []
  if (file === undefined || file.split(/[/\\]/).includes('..') || !existsSync(file)) return undefined
  const [, line = '', column = '1'] = place.split(':')
  const path = resolve(file).replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/').replace('%3A', ':')
  const values: Readonly<Record<string, string>> = { file: path.replace(/^(?!\/)/, '/'), line, column }
  return editor.replaceAll(/\{(file|line|column)\}/g, (_, name: string) => values[name]!)
}

export const MAX_TEXT = 300

/** Control characters, characters that change the direction of text, and those without a width. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu
/** More combining marks than these would climb over the lines above. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu

/** Returns a text of bounded length in which nothing hides or reorders the text around it. HTML needs no escape: the page inserts text. */
export function toPrintable(text: string, max: number): string {
  const printable = text.slice(0, max).replace(STACKED_MARKS, '$1…').replace(INVISIBLE, escape)
  return text.length > max ? `${printable}…` : printable
}

const escape = (char: string): string => `\\u{${char.codePointAt(0)!.toString(16)}}`

/** Names that are listed; the others are counted. */
const MAX_LISTED = 3

/** Returns `a, b and c`, or `a, b, c and 2 more`. */
export function listSome(names: readonly string[]): string {
  const more = names.length - MAX_LISTED
  if (more > 0) return `${names.slice(0, MAX_LISTED).join(', ')} and ${more} more`
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** Returns `350`, `2.8 k` or `171 k`. */
export function formatRate(perSecond: number): string {
  if (perSecond < 999.5) return String(Math.round(perSecond))
  return perSecond < 9950
    ? `${(perSecond / 1000).toFixed(1)} k`
    : `${Math.round(perSecond / 1000).toLocaleString('en')} k`
}

export const formatSeconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`

/** Drops the first entries of a map that is too large. */
export function dropOldest(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return
    map.delete(key)
  }
}
