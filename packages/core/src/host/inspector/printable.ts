// How text of frontends is made fit to be shown, and where an error comes from.
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getUserStack } from '@sallyport/protocol/internal'

/** Characters of an error's message that are shown. */
export const MAX_TEXT = 300

/** `file:///app/main.mjs:4:53`, or a path. */
const PLACE = /^(?:\[cause\]: | {4}at (?:.*\()?)?((?:file:\/\/|\/|[A-Za-z]:\\)[^()\n]*?)((?::\d+){1,2})\)?$/m

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

/** Returns the first file in the stack that is not this library's: `src/main.mjs:4:53`. */
export function getPlace(error: Error): string {
  const [, file = '', line = ''] = PLACE.exec(getUserStack(error)) ?? []
  if (file === '') return ''
  const path = file.startsWith('file:') ? toPath(file) : file
  if (path === undefined) return `${file}${line}`
  const short = relative(process.cwd(), path)
  return `${short.startsWith('..') ? path : short}${line}`
}

/** Returns the path of a URL. A frontend can forge the stack, and a URL such as `file://host/` has no path. */
function toPath(url: string): string | undefined {
  try {
    return fileURLToPath(url)
  } catch {
    return undefined
  }
}

export const formatSeconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`
