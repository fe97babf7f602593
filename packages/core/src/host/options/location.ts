// Where a module, a file or a folder is: a URL, or an absolute path. Relative paths are refused, as nobody can say what
// they are relative to.
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as v from 'valibot'

const HAS_SCHEME = /^[a-z][a-z0-9+.-]+:/i

function isAbsoluteLocation(given: unknown): boolean {
  if (typeof given !== 'string') return false
  return HAS_SCHEME.test(given) ? URL.canParse(given) : isAbsolute(given)
}

/** How a relative path is written. */
const asUrl = (given: unknown): string =>
  typeof given === 'string' && /^\.{0,2}[/\w]/.test(given) && !HAS_SCHEME.test(given)
    ? `, as in new URL(${JSON.stringify(given)}, import.meta.url)`
    : ''

export const toUrl = (given: string): URL => (HAS_SCHEME.test(given) ? new URL(given) : pathToFileURL(given))

export const location: v.GenericSchema<ModuleLocation, URL> = v.pipe(
  v.custom<ModuleLocation>(
    given => given instanceof URL || isAbsoluteLocation(given),
    ({ input }) => `a URL or an absolute path${asUrl(input)}`,
  ),
  v.transform(given => (typeof given === 'string' ? toUrl(given) : given)),
)

/** Of what the host itself reads: a location of a file or folder. */
export const fileLocation: v.GenericSchema<ModuleLocation, URL> = v.pipe(
  v.custom<ModuleLocation>(isFileLocation, 'a file: URL or an absolute path'),
  v.transform(given => (typeof given === 'string' ? toUrl(given) : given)),
)

/** Other strings may be names. */
export function isFileLocation(given: unknown): given is ModuleLocation {
  if (given instanceof URL) return given.protocol === 'file:'
  return typeof given === 'string' && (isAbsolute(given) || (given.startsWith('file:') && URL.canParse(given)))
}

/** With a slash at its end, so that what is in it can be resolved against it. */
export const folderUrl = ({ href }: URL): URL => new URL(href.endsWith('/') ? href : `${href}/`)

/** What stands there itself, and is not named by its place. */
export const isContent = (given: unknown): given is object =>
  typeof given === 'object' && given !== null && !(given instanceof URL) && !Array.isArray(given)

/** A module, file or folder: a URL, or an absolute path. */
export type ModuleLocation = URL | string
