// What Tauri's path API does with the text of paths. Where Node's `path` differs, this is Tauri's way: `..` above the
// beginning is left out, and a name without a parent, an extension or a base is an error.
import { isAbsolute, normalized, partsOf, pushAll, separatorOf, textOf, type PathPlatform } from './components.js'
import { pathError } from './path-error.js'

export { isAbsolute }

/** From the working directory on, each relative to what is before it. */
export const resolve = (paths: readonly string[], platform: PathPlatform, cwd: string): string =>
  normalized(pushAll([cwd, ...paths], platform), platform)

export function normalize(path: string, platform: PathPlatform): string {
  const text = normalized(partsOf(path, platform), platform)
  if (text === '' && (path === '.' || path === '..')) return path
  const slash = /[\\/]$/
  return slash.test(path) && !slash.test(text) ? (text || '.') + separatorOf(platform) : text
}

export function join(paths: readonly string[], platform: PathPlatform): string {
  const separator = separatorOf(platform)
  const path = paths.filter(part => part !== '').join(separator)
  return normalized(partsOf(path, platform), platform) || '.'
}

/** @throws BusError `CommandFailed`: `path does not have a parent` */
export function dirname(path: string, platform: PathPlatform): string {
  const parts = partsOf(path, platform)
  if (parts.names.length === 0) throw pathError('path does not have a parent')
  return textOf({ ...parts, names: parts.names.slice(0, -1) }, platform)
}

/** @throws BusError `CommandFailed`: `path does not have a basename` */
export function basename(path: string, ext: string | undefined, platform: PathPlatform): string {
  const name = fileNameOf(path, platform)
  if (name === undefined) throw pathError('path does not have a basename')
  return ext !== undefined && name.endsWith(ext) ? name.slice(0, name.length - ext.length) : name
}

/** Without its dot. @throws BusError `CommandFailed`: `path does not have an extension` */
export function extname(path: string, platform: PathPlatform): string {
  const name = fileNameOf(path, platform) ?? ''
  const dot = name.lastIndexOf('.')
  if (dot <= 0) throw pathError('path does not have an extension')
  return name.slice(dot + 1)
}

function fileNameOf(path: string, platform: PathPlatform): string | undefined {
  const name = partsOf(path, platform).names.at(-1)
  return name === '.' || name === '..' ? undefined : name
}
