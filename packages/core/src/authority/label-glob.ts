// The globs that capabilities name labels with: those of Rust's `glob`, as in Tauri. Most are plain labels, for which no
// library is loaded.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

const SPECIAL = /[*?[\\]/

export function labelMatcher(glob: string): (label: string) => boolean {
  if (!SPECIAL.test(glob)) return label => label === glob
  const picomatch = require('picomatch') as typeof import('picomatch')
  // Rust's glob has no braces, negation or extended globs, and its `*` matches every character.
  return picomatch(glob, { bash: true, dot: true, nobrace: true, noextglob: true, nonegate: true })
}
