// The one rule that makes a label of the name of a package.
import { PluginError, type PluginErrorPlace } from './errors.js'

const NPM_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/
const MAX_NAME = 160
/** Labels that the bus refuses. */
const RESERVED = /^(?:host|core|run-\d+|prototype)$/

/** True for a name that a new package can have on npm. */
export const isPackageName = (name: unknown): name is string =>
  typeof name === 'string' && name.length <= MAX_NAME && NPM_NAME.test(name)

/**
 * Returns the label of a plugin: its name without `@`, with `-` for each `/`, `.` and `~`, after the prefix.
 *
 * @example toLabel('@acme/x') === 'acme-x'
 * @throws {PluginError} InvalidManifest for a name that no package can have, or a label that the bus reserves
 */
export function toLabel(name: unknown, prefix = '', place: PluginErrorPlace = {}): string {
  if (!isPackageName(name)) {
    const text = 'must be the name of a package: lower case, at most 160 characters, such as "@acme/x"'
    throw new PluginError('InvalidManifest', text, place)
  }
  const label = prefix + name.replace(/^@/, '').replaceAll(/[^a-z0-9_-]/g, '-')
  if (!RESERVED.test(label) && !(label in Object.prototype)) return label
  const text = `the bus reserves the label ${JSON.stringify(label)}. Use another name, or the option "prefix"`
  throw new PluginError('InvalidManifest', text, place)
}
