// Escapes control characters, because terminals obey them: frontends could send them in a name, an error or their output.
import { stripVTControlCharacters } from 'node:util'

const escapeCharacter = (character: string): string =>
  character.replaceAll(/[^]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Control characters and invisible ones, but not tabs and joiners. */
const HIDDEN = /[\u2028\u2029]|(?![\t\u200d])[\p{Cc}\p{Cf}]/gu

/** Escapes a line of JSON, but not its end. There they occur only within strings, where the escape means the same. */
export const escapeLine = (line: string): string =>
  line.replace(HIDDEN, character => (character === '\n' ? character : escapeCharacter(character)))

/** Removes terminal sequences from one line of text, and escapes what is hidden otherwise. */
export const escapeText = (text: string): string => stripVTControlCharacters(text).replace(HIDDEN, escapeCharacter)
