// Locations of modules, files and directories. Relative paths are refused: it is unknown what they would be relative to.
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as v from 'valibot'

/**
 * A `URL`. Where an object of options can be in its place, an editor would offer the members of `URL` in it: it leaves out those of a class
 * with a private member. Each `URL` has this type, because the member is optional.
 */
declare class LocationUrl extends URL {
  private readonly hidden?: undefined
}

/** A module, file or directory: a URL, or an absolute path. */
export type ModuleLocation = LocationUrl | string

const HAS_SCHEME = /^[a-z][a-z0-9+.-]+:/i

export const toUrl = (location: ModuleLocation): URL => {
  if (location instanceof URL) return location
  return HAS_SCHEME.test(location) ? new URL(location) : pathToFileURL(location)
}

/** @param ofText - what is said of a text that is no name */
const createLocationSchema = (ofText: string): v.GenericSchema<ModuleLocation, URL> =>
  v.pipe(
    v.custom<ModuleLocation>(isLocation, ({ input }) => `a URL or an absolute path${suggestUrl(input, ofText)}`),
    v.transform(toUrl),
  )

/** @internal */
export const locationSchema: v.GenericSchema<ModuleLocation, URL> = createLocationSchema('')

/** @internal For a module of a frontend, which can be text. */
export const moduleLocationSchema: v.GenericSchema<ModuleLocation, URL> = createLocationSchema(
  ', or { source, name } for code as text',
)

/** @internal For what the host itself reads. */
export const fileSchema = v.pipe(
  v.custom<ModuleLocation>(isFileLocation, 'a file: URL or an absolute path'),
  v.transform(toUrl),
)

function isLocation(value: unknown): boolean {
  if (typeof value !== 'string') return value instanceof URL
  return HAS_SCHEME.test(value) ? URL.canParse(value) : isAbsolute(value)
}

/** Returns false for a string that might be a name. */
export function isFileLocation(value: unknown): value is ModuleLocation {
  if (value instanceof URL) return value.protocol === 'file:' && value.host === ''
  return typeof value === 'string' && (isAbsolute(value) || (value.startsWith('file:') && URL.canParse(value)))
}

function suggestUrl(value: unknown, ofText: string): string {
  if (typeof value !== 'string' || !/^\.{0,2}[/\w]/.test(value) || HAS_SCHEME.test(value)) return ''
  const hasEnding = /\.\w+$/.test(value)
  // The name of a package has no space.
  if (/^\w.*\s/.test(value) && !hasEnding) return ofText
  const name = JSON.stringify(value)
  // A package has no ending.
  return /^[./]/.test(value) || hasEnding
    ? `, as in new URL(${name}, import.meta.url)`
    : `, as in import.meta.resolve(${name})`
}
