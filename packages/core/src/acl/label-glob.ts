// Globs that capabilities match labels with, by the rules of Rust's `glob::Pattern`, which Tauri uses. `?` and `*` match any character,
// `/` too; `**` stands alone between slashes; `[abc]`, `[a-z]`, `[!abc]`; no braces, and no escapes except `[*]`.
import { BusError } from '@sallyport/protocol/internal'

/** @throws {BusError} InvalidParams for a glob that Rust refuses as well */
export function createGlobMatcher(glob: string): (label: string) => boolean {
  const pattern = new RegExp(`^${toSource(glob)}$`, 'su')
  return label => pattern.test(label)
}

function toSource(glob: string): string {
  let source = ''
  for (let at = 0; at < glob.length; at++) {
    const char = glob[at]!
    if (char === '?') source += '.'
    else if (char === '[') {
      const end = glob.indexOf(']', at + (glob[at + 1] === '!' ? 3 : 2))
      if (end < 0) throw invalid(glob, '"[" is never closed')
      source += toClass(glob.slice(at + 1, end))
      at = end
    } else if (char !== '*') source += escape(char)
    else if (glob[at + 1] !== '*') source += '.*'
    else {
      const [before, after] = [glob[at - 1] ?? '/', glob[at + 2] ?? '/']
      if (before !== '/' || after !== '/') throw invalid(glob, '"**" must stand alone between slashes')
      // Any number of whole components, or none.
      source += glob[at + 2] === '/' ? '(?:.*/)?' : '.*'
      at += 2
    }
  }
  return source
}

function toClass(inside: string): string {
  const negated = inside.startsWith('!')
  const chars = Array.from(negated ? inside.slice(1) : inside)
  const parts: string[] = []
  for (let at = 0; at < chars.length; at++) {
    const [from, dash, to] = [chars[at]!, chars[at + 1], chars[at + 2]]
    if (dash !== '-' || to === undefined) parts.push(escapeIn(from))
    else {
      // A range that runs backwards matches nothing.
      if (from <= to) parts.push(`${escapeIn(from)}-${escapeIn(to)}`)
      at += 2
    }
  }
  return `[${negated ? '^' : ''}${parts.join('')}]`
}

const escape = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')

/** Escapes a character within a class. */
const escapeIn = (char: string): string => char.replace(/[\\^[\]-]/, '\\$&')

const invalid = (glob: string, why: string): BusError =>
  new BusError('InvalidParams', `the glob ${JSON.stringify(glob)}: ${why}`)
