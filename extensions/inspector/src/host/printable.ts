// How text of frontends is made fit to be shown.

/** Characters of an error's message that are shown. */
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

export const formatSeconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`
