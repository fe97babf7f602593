// Files that people edit, in any editor: what they mean is read, and a mistake is named with its line and column.

/** Returns the text of a file, without the byte order mark of some editors. @throws {TypeError} unless it is UTF-8 */
export const decodeText = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes)

/** Is `JSON.parse` for files that people edit. @throws {SyntaxError} with the place, which Node.js does not name for each mistake */
export function parseJson(text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const read = text.slice(0, findMistake(text))
    const lines = read.split(/\r\n?|\n/)
    const [next] = text.slice(read.length)
    const what = next === undefined ? 'it ends too early' : `unexpected ${JSON.stringify(next)}`
    throw new SyntaxError(`line ${lines.length}, column ${lines.at(-1)!.length + 1}: not JSON: ${what}`)
  }
}

/** Returns the length of the longest beginning that can go on as JSON: then its end is the mistake. */
function findMistake(text: string): number {
  let [good, bad] = [0, text.length + 1]
  while (bad - good > 1) {
    const half = Math.floor((good + bad) / 2)
    try {
      JSON.parse(text.slice(0, half))
      good = half
    } catch (error) {
      const found = /end of JSON|Unterminated string|at position (\d+)/.exec((error as Error).message)
      if (found && Number(found[1] ?? half) === half) good = half
      else bad = half
    }
  }
  return good
}
