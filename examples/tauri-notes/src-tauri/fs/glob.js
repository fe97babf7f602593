// @ts-check
// Patterns of scopes: `**` for any number of directories; `*`, `?`, `[ab]` and `[!ab]` within a name. The time grows with the length
// of the path times that of the pattern, because a hostile frontend chooses the path.
import { sep } from 'node:path'

/** @param {string} path @param {string} pattern */
export const matchesGlob = (path, pattern) => matches(path.split(sep), pattern.split(sep), '**', matchesName)

/** @param {string} name @param {string} pattern */
const matchesName = (name, pattern) =>
  matches(Array.from(name), pattern.match(/\[!?\]?[^\]]*\]|./gsu) ?? [], '*', matchesCharacter)

/** @param {string} character @param {string} pattern */
function matchesCharacter(character, pattern) {
  const [, not, members] = /^\[(!?)(.+)\]$/su.exec(pattern) ?? []
  if (members === undefined) return pattern === '?' || pattern === character
  return new RegExp(`[${not ? '^' : ''}${members.replace(/[\\\]^[]/g, '\\$&')}]`, 'u').test(character)
}

/**
 * Compares from left to right. After a difference, only the last wildcard takes one item more: the ones before it need none.
 *
 * @param {string[]} items
 * @param {string[]} pattern
 * @param {string} wildcard the member of the pattern that stands for any number of items
 * @param {(item: string, expected: string) => boolean} matchesOne
 */
function matches(items, pattern, wildcard, matchesOne) {
  let next = 0
  let last = -1
  let resume = 0
  for (let at = 0; at < items.length;) {
    const expected = pattern[next]
    if (expected === wildcard) {
      last = next++
      resume = at
    } else if (expected !== undefined && matchesOne(/** @type {string} */ (items[at]), expected)) {
      next++
      at++
    } else if (last >= 0) {
      next = last + 1
      at = ++resume
    } else return false
  }
  while (pattern[next] === wildcard) next++
  return next === pattern.length
}
