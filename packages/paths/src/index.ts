// The entry `@sallyport/paths/internal`: which files a caller may use, and how they are opened.
export { createIoError } from './io-error.js'
export { getOwnName, getOwnRest } from './own-directory.js'
export { getPathRules, type PathRules } from './path-rules.js'
export { isDeviceName, resolveBelow, resolveLinks, toAbsolutePath } from './resolve.js'
export {
  hasDescriptors,
  type OpenedFile,
  openFile,
  type OpenOptions,
  openToRead,
  PathChangedError,
  withDirectory,
  withEntry,
} from './safe-open.js'
export {
  checkPathEntry,
  getPathScopeOptions,
  PathGrants,
  PathScope,
  type PathScopeEntries,
  type PathScopeOptions,
  toCanonical,
  toPattern,
} from './scope.js'
