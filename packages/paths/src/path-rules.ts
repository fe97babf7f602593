// Differences between the paths of operating systems. Tests inject the rules of another one.
import { posix, win32 } from 'node:path'

export interface PathRules {
  readonly platform: NodeJS.Platform
  /** Node's functions for these paths. */
  readonly path: typeof posix
  /** Characters that separate names. */
  readonly separators: string
  /** True if names that differ in case or composition are different files. */
  readonly isCaseSensitive: boolean
  /** The longest path, in bytes, or in UTF-16 units on Windows. */
  readonly maxLength: number
}

/** Returns the rules of a platform. */
export const getPathRules = (platform: NodeJS.Platform = process.platform): PathRules => ({
  platform,
  path: platform === 'win32' ? win32 : posix,
  separators: platform === 'win32' ? '/\\' : '/',
  isCaseSensitive: platform !== 'win32' && platform !== 'darwin',
  maxLength: platform === 'win32' ? 32_767 : 4096,
})
