import { BusError } from '@sallyport/core'

/**
 * Checks that an object has no other members than these: a misspelt option would have no effect, such as `authorise` or `alow`.
 *
 * @throws {BusError} InvalidParams
 */
export function checkNames(place: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new BusError('InvalidParams', `${place} must be an object with ${names.join(', ')}`)
  }
  const unknown = Object.keys(options).find(name => !names.includes(name))
  if (unknown === undefined) return
  throw new BusError('InvalidParams', `${place}: unknown option ${JSON.stringify(unknown)}. Use ${names.join(', ')}`)
}
