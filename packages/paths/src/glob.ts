// Patterns by the rules of Rust's `glob` crate, for paths, labels and URLs: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`, and `**` as a whole name.
// There are no braces, and no escapes except `[*]`. The work grows with the length of the text times that of the pattern: a hostile
// frontend chooses the text.

/** How a pattern is compared with a path. */
export interface GlobMatchOptions {
  /** If true, wildcards do not match the dot at the beginning of a name. */
  readonly requireLiteralLeadingDot: boolean
  /** If true, case and Unicode composition do not matter. */
  readonly ignoreCase: boolean
}

interface CharacterClass {
  readonly negated: boolean
  readonly ranges: readonly (readonly [first: string, last: string])[]
}

/** A character, a class of characters, `?` or `*`. In a text that is not split, `**` is also one. */
type Token = { readonly text: string } | CharacterClass | typeof ANY | typeof SEQUENCE | typeof RECURSIVE

const ANY = Symbol('?')
const SEQUENCE = Symbol('*')
/** `**`, which stands for any number of names. */
const RECURSIVE = Symbol('**')

interface NamePattern {
  /** Set if the name has no wildcard. */
  readonly literal: string | undefined
  readonly tokens: readonly Token[]
  readonly foldedLiteral: string | undefined
  readonly foldedTokens: readonly Token[]
}

/** Returns the text with case and Unicode composition removed. Lower case would depend on the neighbours of a letter. */
export const foldCase = (text: string): string => text.normalize('NFC').toUpperCase()

/** Splits a path into names. On Windows both slashes separate. */
export const splitNames = (path: string, separators = '/'): string[] =>
  separators.length > 1 ? path.split(/[/\\]/) : path.split(separators)

/** A parsed pattern. */
export class Glob {
  readonly #names: readonly (NamePattern | typeof RECURSIVE)[]

  private constructor(names: readonly (NamePattern | typeof RECURSIVE)[]) {
    this.#names = names
  }

  /**
   * Parses a pattern of paths. Wildcards match no separator, except `**`.
   *
   * @param separators - characters between names
   * @param isText - see `parseText`
   * @throws {Error} if a class has no end, or `**` is not a whole name. The message is that of Rust's crate.
   */
  static parse(pattern: string, separators = '/', isText = false): Glob {
    const names: (NamePattern | typeof RECURSIVE)[] = []
    let isAfterRecursive = false
    for (const tokens of toNames(pattern, separators, isText)) {
      const isRecursive = tokens === RECURSIVE
      if (!(isRecursive && isAfterRecursive)) names.push(isRecursive ? RECURSIVE : toNamePattern(tokens))
      isAfterRecursive = isRecursive
    }
    // `**` includes the separator after it.
    const [before, last] = names.slice(-2)
    if (before === RECURSIVE && last !== undefined && last !== RECURSIVE && last.literal === '') names.pop()
    return new Glob(names)
  }

  /** Parses a pattern of text that is not split, such as a label or a URL: wildcards match slashes too. @throws {Error} like `parse` */
  static parseText(pattern: string): Glob {
    return Glob.parse(pattern, '/', true)
  }

  /** The names before the first wildcard. */
  get prefix(): string[] {
    // `RECURSIVE` has no literal either.
    const literals = [...this.#names.map(name => (name as NamePattern).literal), undefined]
    return literals.slice(0, literals.indexOf(undefined)) as string[]
  }

  /** Returns a pattern with other names in place of `prefix`. They are literal. */
  withPrefix(names: readonly string[]): Glob {
    const rest = this.#names.slice(this.prefix.length)
    return new Glob([...names.map(name => toNamePattern(toTokens(name))), ...rest])
  }

  /** Compares the whole text with a pattern of `parseText`. */
  matchesText(text: string, ignoreCase = false): boolean {
    return this.matches([ignoreCase ? foldCase(text) : text], { requireLiteralLeadingDot: false, ignoreCase })
  }

  /** Compares the whole path, as `splitNames` splits it. With `ignoreCase` its names must be folded. */
  matches(names: readonly string[], options: GlobMatchOptions): boolean {
    const patterns = this.#names
    const isHidden = (name: string): boolean => options.requireLiteralLeadingDot && name.startsWith('.')
    let [next, last, resume] = [0, -1, 0]
    // After a difference only the last `**` takes one more name: those before it need none.
    for (let at = 0; at < names.length;) {
      const pattern = patterns[next]
      if (pattern === RECURSIVE) {
        if (next === patterns.length - 1) return !names.slice(at).some(isHidden)
        last = next++
        resume = at
      } else if (pattern !== undefined && matchesName(names[at]!, pattern, options)) {
        next++
        at++
      } else if (last >= 0 && !isHidden(names[resume]!)) {
        next = last + 1
        at = ++resume
      } else return false
    }
    return next === patterns.length
  }
}

/** Splits the tokens of a pattern at its separators. @param isText - true if all tokens are one name, with the separators in it */
function toNames(pattern: string, separators: string, isText: boolean): (Token[] | typeof RECURSIVE)[] {
  const characters = Array.from(pattern)
  const isSeparator = (character: string | undefined): boolean =>
    character !== undefined && separators.includes(character)
  const names: (Token[] | typeof RECURSIVE)[] = []
  let name: Token[] = []
  for (let at = 0; at < characters.length;) {
    const character = characters[at]!
    if (!isText && isSeparator(character)) {
      names.push(name)
      name = []
      at++
    } else if (character === '*') {
      let end = at
      while (characters[end] === '*') end++
      const count = end - at
      if (count > 2) throw new Error('wildcards are either regular `*` or recursive `**`')
      if (count === 1) name.push(SEQUENCE)
      else {
        const isLast = end === characters.length
        const isWhole = (at === 0 || isSeparator(characters[at - 1])) && (isLast || isSeparator(characters[end]))
        if (!isWhole) throw new Error('recursive wildcards must form a single path component')
        // The last one matches the rest.
        if (isText) name.push(isLast ? SEQUENCE : RECURSIVE)
        else names.push(RECURSIVE)
        if (isLast && !isText) return names
        end++
      }
      at = end
    } else if (character === '[') {
      const start = at + (characters[at + 1] === '!' ? 2 : 1)
      // A bracket at the beginning of a class is a member.
      const end = characters.indexOf(']', start + 1)
      if (end < 0) throw new Error('invalid range pattern')
      name.push({ negated: start > at + 1, ranges: toRanges(characters.slice(start, end)) })
      at = end + 1
    } else {
      name.push(character === '?' ? ANY : { text: character })
      at++
    }
  }
  return [...names, name]
}

/** Reads `a-z` as a range; a hyphen at either end is a member. */
function toRanges(members: readonly string[]): [string, string][] {
  const ranges: [string, string][] = []
  for (let at = 0; at < members.length;) {
    const isRange = members[at + 1] === '-' && at + 2 < members.length
    ranges.push([members[at]!, members[at + (isRange ? 2 : 0)]!])
    at += isRange ? 3 : 1
  }
  return ranges
}

function toNamePattern(tokens: readonly Token[]): NamePattern {
  const literal = tokens.every(isLiteral) ? tokens.map(token => token.text).join('') : undefined
  const foldedTokens: Token[] = []
  for (let at = 0; at < tokens.length; at++) {
    let text = ''
    for (let token = tokens[at]; token !== undefined && isLiteral(token); token = tokens[++at]) text += token.text
    foldedTokens.push(...toTokens(foldCase(text)))
    if (at < tokens.length) foldedTokens.push(tokens[at]!)
  }
  return { literal, tokens, foldedLiteral: literal === undefined ? undefined : foldCase(literal), foldedTokens }
}

const isLiteral = (token: Token): token is { readonly text: string } => typeof token === 'object' && 'text' in token
const toTokens = (literal: string): Token[] => Array.from(literal, text => ({ text }))

function matchesName(name: string, pattern: NamePattern, options: GlobMatchOptions): boolean {
  const literal = options.ignoreCase ? pattern.foldedLiteral : pattern.literal
  if (literal !== undefined) return name === literal
  const tokens = options.ignoreCase ? pattern.foldedTokens : pattern.tokens
  const [first] = tokens
  if (options.requireLiteralLeadingDot && name.startsWith('.') && !(first !== undefined && isLiteral(first)))
    return false
  if (tokens.length === 1 && first === SEQUENCE) return true
  let [next, last, resume] = [0, -1, 0]
  for (let at = 0; at < name.length;) {
    const token = tokens[next]
    const character = name.slice(at, toNext(name, at))
    if (token === SEQUENCE || token === RECURSIVE) {
      last = next++
      resume = at
    } else if (token !== undefined && matchesCharacter(character, token, options.ignoreCase)) {
      next++
      at += character.length
    } else if (last >= 0) {
      next = last + 1
      resume = tokens[last] === RECURSIVE ? name.indexOf('/', resume) + 1 : toNext(name, resume)
      if (resume === 0) return false
      at = resume
    } else return false
  }
  while (tokens[next] === SEQUENCE || tokens[next] === RECURSIVE) next++
  return next === tokens.length
}

const getCode = (text: string, at = 0): number => text.codePointAt(at)!
const toNext = (name: string, at: number): number => at + (getCode(name, at) > 0xffff ? 2 : 1)

function matchesCharacter(
  character: string,
  token: Exclude<Token, typeof SEQUENCE | typeof RECURSIVE>,
  ignoreCase: boolean,
): boolean {
  if (token === ANY) return true
  if ('text' in token) return token.text === character
  const forms = ignoreCase ? [character, character.toLowerCase()] : [character]
  const isMember = token.ranges.some(([first, last]) => forms.some(form => isBetween(form, first, last)))
  return isMember !== token.negated
}

const isBetween = (character: string, first: string, last: string): boolean =>
  getCode(first) <= getCode(character) && getCode(character) <= getCode(last)
