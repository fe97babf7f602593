// The entry `@sallyport/paths/internal/api`: Tauri's path API. It reads no file except the list of the user's directories.
export { basename, dirname, extname, isAbsolute, join, normalize, type PathPlatform, resolve } from './components.js'
export {
  BaseDirectory,
  createPathResolver,
  getDirectoryName,
  getHomeDirectory,
  type PathEnvironment,
  type PathResolver,
  readPathEnvironment,
  toPathPlatform,
} from './directories.js'
