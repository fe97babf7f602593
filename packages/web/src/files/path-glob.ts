// Globs of paths by the rules of Rust's `glob::Pattern`, which Tauri's scopes use: `*` and `?` stay within a name, `**` is any number of
// whole names, `[abc]`, `[a-z]`, `[!abc]`. A match takes at most the product of both lengths in steps: no text makes it backtrack further.
import { BusError } from '@sallyport/protocol/internal'

/** `*`, or what matches one character. */
type Token = 'any' | { readonly isLiteral: boolean; matches(character: string): boolean }

export type PathGlob = (names: readonly string[]) => boolean

export interface PathGlobOptions {
  /** A leading dot of a name is matched by a literal dot only. */
  readonly hidesDotFiles: boolean
  /** Compares without case. */
  readonly ignoresCase: boolean
}

/** @param pattern - names of the pattern @throws {BusError} InvalidParams for a pattern that Rust refuses as well */
export function createPathGlob(pattern: readonly string[], options: PathGlobOptions): PathGlob {
  const normalize = (name: string): string => (options.ignoresCase ? name.normalize('NFC').toUpperCase() : name)
  const parts = pattern.map(name => (name === '**' ? name : tokenize(normalize(name))))
  const isHidden = (name: string): boolean => options.hidesDotFiles && name.startsWith('.')
  return names => {
    const found = names.map(name => Array.from(normalize(name)))
    return matchSequence(parts, found, {
      isStar: part => part === '**',
      // At the end it matches what is in a directory, and not the directory.
      min: at => (at === parts.length - 1 ? 1 : 0),
      canSkip: name => !isHidden(name.join('')),
      isMatch: (part, name) => matchName(part as Token[], name, isHidden(name.join(''))),
    })
  }
}

function matchName(tokens: readonly Token[], name: readonly string[], isHidden: boolean): boolean {
  const [first] = tokens
  if (isHidden && !(typeof first === 'object' && first.isLiteral)) return false
  return matchSequence(tokens, name, {
    isStar: token => token === 'any',
    min: () => 0,
    canSkip: () => true,
    isMatch: (token, character) => token !== 'any' && token.matches(character),
  })
}

interface Rules<Part, Item> {
  isStar(part: Part): boolean
  /** Items that a star at this place matches at least. */
  min(at: number): number
  /** True if a star can match the item. */
  canSkip(item: Item): boolean
  isMatch(part: Part, item: Item): boolean
}

/** Matches by trying a longer match of the last star only, which is enough: an earlier one could not match more. */
function matchSequence<Part, Item>(parts: readonly Part[], items: readonly Item[], rules: Rules<Part, Item>): boolean {
  let [part, item] = [0, 0]
  let star: { part: number; item: number } | undefined
  for (;;) {
    if (part < parts.length && rules.isStar(parts[part]!)) {
      star = { part, item }
      for (let left = rules.min(part); left > 0; left--) {
        if (star.item >= items.length || !rules.canSkip(items[star.item]!)) return false
        star.item++
      }
      ;[part, item] = [part + 1, star.item]
    } else if (part === parts.length && item === items.length) return true
    else if (part < parts.length && item < items.length && rules.isMatch(parts[part]!, items[item]!)) {
      part++
      item++
    } else if (star && star.item < items.length && rules.canSkip(items[star.item]!)) {
      star.item++
      ;[part, item] = [star.part + 1, star.item]
    } else return false
  }
}

function tokenize(name: string): Token[] {
  if (name.includes('**')) throw invalid(name, '"**" must stand alone between slashes')
  const tokens: Token[] = []
  const characters = Array.from(name)
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!
    if (character === '*') tokens.push('any')
    else if (character === '?') tokens.push({ isLiteral: false, matches: () => true })
    else if (character === '[') {
      const end = characters.indexOf(']', at + (characters[at + 1] === '!' ? 3 : 2))
      if (end < 0) throw invalid(name, '"[" is never closed')
      tokens.push({ isLiteral: false, matches: createClass(characters.slice(at + 1, end)) })
      at = end
    } else tokens.push({ isLiteral: true, matches: each => each === character })
  }
  return tokens
}

function createClass(inside: readonly string[]): (character: string) => boolean {
  const isNegated = inside[0] === '!'
  const characters = isNegated ? inside.slice(1) : inside
  const ranges: [string, string][] = []
  for (let at = 0; at < characters.length; at++) {
    const isRange = characters[at + 1] === '-' && at + 2 < characters.length
    ranges.push([characters[at]!, characters[isRange ? at + 2 : at]!])
    if (isRange) at += 2
  }
  return character => ranges.some(([from, to]) => from <= character && character <= to) !== isNegated
}

const invalid = (name: string, why: string): BusError =>
  new BusError('InvalidParams', `the glob ${JSON.stringify(name)}: ${why}`)
