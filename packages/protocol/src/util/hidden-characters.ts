// Characters that a reader does not see, and that a terminal obeys.

const escapeCharacter = (character: string): string =>
  character.replaceAll(/[^]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Control characters and invisible ones, but not tabs and joiners. */
const HIDDEN = /[\u2028\u2029]|(?![\t\u200d])[\p{Cc}\p{Cf}]/gu

/** Returns a line of text, of which others have written parts, for a terminal. */
export const escapeHidden = (line: string): string => line.replace(HIDDEN, escapeCharacter)
