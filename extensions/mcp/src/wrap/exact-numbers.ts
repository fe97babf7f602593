// Numbers that JavaScript cannot hold, such as the 64-bit ids of other languages, pass a relay as texts with a mark: JSON writes it in one way alone.

const MARK = String.raw`"\u0000`
const MAYBE_LOST = /\d{16}|\d[eE]/
const START = /"|-?\d[\d.eE+-]*/g
const COLON = /\s*:/y
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Returns JSON with texts in the place of numbers that would be changed, for `restoreNumbers`. It need not be valid. */
export function markNumbers(json: Buffer): Buffer {
  // A character for each byte.
  const text = json.toString('latin1')
  if (!MAYBE_LOST.test(text) && !text.includes(MARK)) return json
  const mark = (token: string, end: number): string => {
    if (token.startsWith(MARK)) return `${MARK}${token.slice(1)}`
    return isLost(token) && !isName(text, end) ? `${MARK}${token}"` : token
  }
  return Buffer.from(replaceTokens(text, mark), 'latin1')
}

/** @param json - as JSON.stringify has written it */
export function restoreNumbers(json: string): string {
  if (!json.includes(MARK)) return json
  return replaceTokens(json, token => {
    if (!token.startsWith(MARK)) return token
    const text = token.slice(MARK.length, -1)
    return NUMBER.test(text) ? text : `"${text}"`
  })
}

/** Fractions are rounded by each reader in a way of its own. */
function isLost(token: string): boolean {
  if (!NUMBER.test(token)) return false
  const value = Number(token)
  return !Number.isFinite(value) || (/^-?\d+$/.test(token) && !Number.isSafeInteger(value))
}

/** A number is no name of a member: as a text it would become one. */
function isName(text: string, end: number): boolean {
  COLON.lastIndex = end
  return COLON.test(text)
}

/** Linear in any text. One regular expression for all of it would need a stack for the longest. */
function replaceTokens(json: string, replace: (token: string, end: number) => string): string {
  let [text, copied] = ['', 0]
  START.lastIndex = 0
  for (let found = START.exec(json); found; found = START.exec(json)) {
    if (found[0] === '"') START.lastIndex = findEnd(json, found.index)
    const token = json.slice(found.index, START.lastIndex)
    const replaced = replace(token, START.lastIndex)
    if (replaced === token) continue
    text += json.slice(copied, found.index) + replaced
    copied = START.lastIndex
  }
  return text + json.slice(copied)
}

function findEnd(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let backslashes = 0
    while (json[at - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return at + 1
  }
  return json.length
}
