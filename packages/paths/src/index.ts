// The entry `@sallyport/paths/internal`: which files a caller may use, and how they are opened.
export {
  createIoError,
  getPathRules,
  isDeviceName,
  type PathRules,
  resolveBelow,
  resolveLinks,
  toAbsolutePath,
} from './resolve.js'
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
  getOwnName,
  getOwnRest,
  getPathScopeOptions,
  PathGrants,
  PathScope,
  type PathScopeEntries,
  type PathScopeOptions,
  toCanonical,
  toPattern,
} from './scope.js'
// For `@sallyport/tauri-plugins`, which imports no more than this and core.
export { deadline, later, silence } from '@sallyport/protocol/internal/contract'
export {
  BOOLEAN,
  checkOptions,
  FUNCTION,
  type OptionCheck,
  type OptionChecks,
  STRINGS,
} from '@sallyport/protocol/internal/errors'
export { decodeText, isObject, isTexts, parseJson } from '@sallyport/protocol/internal/util'
