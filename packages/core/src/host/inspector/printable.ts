// Text of frontends, made fit to be read: bounded, and with nothing in it that hides or turns around what stands beside it.

/** Controls, what changes the direction of text, and what has no width. A tag of HTML is text like any other. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu
/** Of a letter more would climb over the lines above it. */
const HEAPED = /(\p{M}{3})\p{M}+/gu

/** @param most characters; what is longer ends with `…` */
export function printable(text: string, most: number): string {
  const whole = text.slice(0, most)
  const seen = whole.replace(HEAPED, '$1…').replace(UNSEEN, escaped)
  return text.length > most ? `${seen}…` : seen
}

const escaped = (char: string): string => `\\u{${char.codePointAt(0)!.toString(16)}}`
