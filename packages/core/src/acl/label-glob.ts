// The globs that capabilities match labels with, by the rules of Rust's `glob::Pattern`, which Tauri uses: wildcards match `/` too.
import { Glob } from '@sallyport/paths/internal/glob'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'

/** @throws {BusError} InvalidParams for a glob that Rust refuses as well */
export function createGlobMatcher(glob: string): (label: string) => boolean {
  try {
    const pattern = Glob.parseText(glob)
    return label => pattern.matchesText(label)
  } catch (cause) {
    throw new BusError('InvalidParams', `the glob ${JSON.stringify(glob)}: ${describeThrown(cause)}`, { cause })
  }
}
