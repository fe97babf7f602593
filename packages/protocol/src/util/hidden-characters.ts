// Characters that a reader does not see, and that a terminal obeys.

const escapeCharacter = (character: string): string =>
  character.replaceAll(/[^]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Control characters and invisible ones, but not tabs and joiners. */
const HIDDEN = /[\u2028\u2029]|(?![\t\u200d])[\p{Cc}\p{Cf}]/gu

/** What a terminal obeys: colors, movements, titles and other strings. */
const SEQUENCES = RegExp(
  [
    String.raw`(?:\x1B\[|\x9B)[0-?]*[ -/]*[@-~]`,
    String.raw`(?:\x1B[PX\]^_]|[\x90\x98\x9D-\x9F])[^\x07\x1B\x9C\n]*(?:\x07|\x1B\\|\x9C)`,
    String.raw`\x1B[ -/]*[0-~]`,
  ].join('|'),
  'g',
)

/** Returns what another program or machine has said, for an error or a terminal: without sequences of terminals, and with hidden characters escaped. Its lines are kept. */
export const toPlainText = (text: string): string =>
  text.replaceAll('\r\n', '\n').replace(SEQUENCES, '').split('\n').map(escapeHidden).join('\n')

/** Returns a line of text, of which others have written parts, for a terminal. */
export const escapeHidden = (line: string): string => line.replace(HIDDEN, escapeCharacter)
