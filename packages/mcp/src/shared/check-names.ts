import { BusError } from '@sallyport/core'

/** @throws {BusError} InvalidParams for another member: a misspelt option, such as `authorise`, would have no effect */
export function checkNames(place: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new BusError('InvalidParams', `${place} must be an object with ${names.join(', ')}`)
  }
  const unknown = Object.keys(options).find(name => !names.includes(name))
  if (unknown === undefined) return
  throw new BusError('InvalidParams', `${place}: unknown option ${JSON.stringify(unknown)}. Use ${names.join(', ')}`)
}
