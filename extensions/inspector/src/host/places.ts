// What an error says, and where it comes from: its file and line, its stack, and a link into the editor.
import { resolve } from 'node:path'
import { findPlace, getUserStack } from '@sallyport/protocol/internal/errors'
import { MAX_TEXT, toPrintable } from './printable.js'

const MAX_FRAMES = 8
const MAX_LINE = 160
/** A file with its line, relative to the working directory. */
const BELOW = /^(?![/\\]|[A-Za-z]:)([^\p{C}:]+\.[cm]?[jt]sx?)((?::\d{1,7}){1,2})$/u

/** An error of supervision has the last error as its cause, and repeats its text. */
function getShown(error: Error): Error {
  const { cause } = error
  return cause instanceof Error && error.message.endsWith(`Last error: ${cause.message}`) ? cause : error
}

/** Returns the text of an error, and the first file in its stack that is not this library's: `src/main.mjs:4:53`. */
export function describeError(error: Error): { error: string; where: string } {
  const shown = getShown(error)
  const where = toPrintable(findPlace(getUserStack(shown)), MAX_TEXT)
  return { error: toPrintable(shown.message, MAX_TEXT), where }
}

/** Also returns its stack. */
export const describeFailure = (error: Error): { error: string; where: string; stack: string } => ({
  ...describeError(error),
  stack: getStack(error),
})

/** Returns the first lines of an error's stack. */
export function getStack(error: Error): string {
  const lines = getUserStack(getShown(error)).split('\n').filter(Boolean)
  const shown = lines.slice(0, MAX_FRAMES).map(line => toPrintable(line, MAX_LINE))
  return [...shown, ...(lines.length > MAX_FRAMES ? ['…'] : [])].join('\n')
}

/**
 * Returns a URL that opens a file in an editor. A plugin can forge the stack of an error, so only files below the working directory
 * have one.
 *
 * @param editor - the URL, with `{file}`, `{line}` and `{column}`
 */
export function getEditorUrl(where: string, editor: string): string | undefined {
  const [, file, place = ''] = BELOW.exec(where) ?? []
  if (file === undefined || file.split(/[/\\]/).includes('..')) return undefined
  const [, line = '', column = '1'] = place.split(':')
  const path = resolve(file).replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/').replace('%3A', ':')
  const values: Readonly<Record<string, string>> = { file: path.replace(/^(?!\/)/, '/'), line, column }
  return editor.replaceAll(/\{(file|line|column)\}/g, (_, name: string) => values[name]!)
}
