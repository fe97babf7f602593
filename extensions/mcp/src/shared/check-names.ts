import { BusError } from '@sallyport/core'

export const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0

/** Node takes a longer time for 1 ms. */
const MAX_MS = 2 ** 31 - 1

export const isMilliseconds = (value: unknown): boolean => isPositive(value) && (value as number) <= MAX_MS

export const MILLISECONDS: string = `milliseconds, more than 0 and at most ${MAX_MS}`

export const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string')

/** @throws {BusError} InvalidParams for another member: a misspelt option, such as `authorise`, would have no effect */
export function checkNames(place: string, options: unknown, names: readonly string[]): void {
  checkValue(place, typeof options === 'object' && options !== null, `an object with ${names.join(', ')}`)
  const unknown = Object.keys(options as object).find(name => !names.includes(name))
  if (unknown === undefined) return
  throw new BusError('InvalidParams', `${place}: unknown option ${JSON.stringify(unknown)}. Use ${names.join(', ')}`)
}

/** @throws {BusError} InvalidParams for a value that is not `expected` */
export function checkValue(place: string, isValid: boolean, expected: string): void {
  if (!isValid) throw new BusError('InvalidParams', `${place} must be ${expected}`)
}
