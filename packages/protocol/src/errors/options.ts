// The one check of the options of a function. A misspelt name would have no effect, so it is an error, which has the nearest name.
import { IS_NODE } from '#platform'
import { isObject, isTexts } from '../util/type-guards.js'
import { BusError } from './bus-error.js'
import { didYouMean } from './suggest.js'

/** Whether a value is valid, and what it must be. An option that is left out is checked only if it is required. */
export type OptionCheck = readonly [isValid: (value: unknown) => boolean, expected: string, isRequired?: 'required']

/** The names of all options, with their checks. An option without one is checked elsewhere. */
export type OptionChecks<Options> = { readonly [Name in keyof Required<Options>]: OptionCheck | undefined }

/** Returns the names of the members of a type. One that is missing or misspelt does not compile. */
export const toNames = <Type>(names: Readonly<Record<keyof Type, true>>): ReadonlySet<string> =>
  new Set(Object.keys(names))

export const BOOLEAN: OptionCheck = [value => typeof value === 'boolean', 'true or false']
export const FUNCTION: OptionCheck = [value => typeof value === 'function', 'a function']
export const OBJECT: OptionCheck = [isObject, 'an object']
export const STRING: OptionCheck = [value => typeof value === 'string', 'a string']
export const STRINGS: OptionCheck = [isTexts, 'an array of strings']

/**
 * Returns the options. No error repeats a value, which might be a secret.
 *
 * @param where - the function whose options these are
 * @param path - of an option that has these as members: `limits.`
 * @throws {BusError} InvalidParams
 */
export function checkOptions<Options extends object>(
  where: string,
  options: Options,
  checks: OptionChecks<NoInfer<Options>>,
  path = '',
): Options {
  if (!isObject(options)) {
    throw new BusError('InvalidParams', `${where}: ${path.slice(0, -1) || 'the options'} must be an object`)
  }
  const names = Object.keys(checks)
  const unknown = Object.keys(options).find(name => !names.includes(name))
  if (unknown !== undefined) throw createUnknownOptionError(where, path + unknown, suggestOption(unknown, names))
  for (const [name, check] of Object.entries<OptionCheck | undefined>(checks)) {
    const value: unknown = options[name]
    if (!check || (value === undefined && check[2] === undefined) || check[0](value)) continue
    const mistake = value === undefined ? 'is missing: it must be' : 'must be'
    throw new BusError('InvalidParams', `${where}: ${path}${name} ${mistake} ${check[1]}`)
  }
  return options
}

/** @param hint - from `suggestOption`, or where the option belongs */
export const createUnknownOptionError = (where: string, name: string, hint: string): BusError =>
  new BusError('InvalidParams', `${where}: unknown option ${JSON.stringify(name)}${hint}`)

/** Returns the nearest name, or all names if none is near. Pages have no use for the nearest, so it is not there. */
export const suggestOption = (name: string, names: Iterable<string>): string =>
  (IS_NODE && didYouMean(name, names)) || `: use ${[...names].join(', ')}`
