/** Returns a word of a command line as a shell reads it, in one line: what follows a line end could be taken for a command of its own. */
export const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`).replaceAll('\n', () => `'$'\\n''`)}'`
