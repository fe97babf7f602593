// `$OWN` in scopes: a directory for each label, which no other label's scope can name.
import { createHash } from 'node:crypto'
import { isDeviceName } from './resolve.js'

/** The variable of the directory, as `$OWN`, `$OWN/notes/*` or `$OWN/**`. */
const OWN = /^\$OWN(?=$|[/\\])/

/** Returns the rest of a pattern after `$OWN`, or `undefined` for any other pattern. */
export const getOwnRest = (pattern: unknown): string | undefined =>
  typeof pattern === 'string' && OWN.test(pattern) ? pattern.slice('$OWN'.length) : undefined

/** Longer names are shortened: file systems take 255 bytes. */
const MAX_NAME = 200

/**
 * Returns the name of the directory of a label. Labels have different names, also where names have no case. None is that of a device, or
 * of the directory that Node takes packages from.
 *
 * @example getOwnName('acme-x') === 'acme-x'; getOwnName('A/b') === '%41%2Fb'
 */
export function getOwnName(label: string): string {
  const escape = (text: string): string => Buffer.from(text).toString('hex').toUpperCase().replaceAll(/../g, '%$&')
  const name = label.replaceAll(/[^a-z0-9_-]+/g, escape)
  if (name.length > MAX_NAME) return `${name.slice(0, 100)}%${createHash('sha256').update(label).digest('hex')}`
  return isDeviceName(name) || name === 'node_modules' ? escape(name[0]!) + name.slice(1) : name
}

/** Writes a path as a pattern that matches nothing else. */
export const escapeGlob = (path: string): string => path.replaceAll(/[[*?]/g, '[$&]')
