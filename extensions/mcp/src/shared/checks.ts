import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { BusError } from '@sallyport/core'
import type { OptionCheck } from '@sallyport/protocol/internal/errors'

/** Node takes a longer time for 1 ms. */
const MAX_MS = 2 ** 31 - 1

const isPositive = (value: unknown, max: number): boolean => typeof value === 'number' && value > 0 && value <= max

export const MILLISECONDS: OptionCheck = [
  value => isPositive(value, MAX_MS),
  `milliseconds, more than 0 and at most ${MAX_MS}`,
]
export const BYTES: OptionCheck = [value => isPositive(value, Infinity), 'bytes, more than 0']

/** @throws {BusError} InvalidParams for a value that is not `expected` */
export function checkValue(place: string, isValid: boolean, expected: string): asserts isValid {
  if (!isValid) throw new BusError('InvalidParams', `${place} must be ${expected}`)
}

/** Returns true if a directory is, or has, the path. */
export const isWithin = (directories: readonly string[], path: string | undefined): boolean =>
  path !== undefined && directories.some(each => !/^\.\.(?:\/|$)|^\//.test(relative(each, path)))

/** Returns true if one of these directories has the file, or what it is a link to. Its own directory must exist. */
export function isBelow(directories: readonly string[], file: string): boolean {
  const real = directories.filter(each => existsSync(each)).map(each => realpathSync(each))
  const own = join(realpathSync(dirname(file)), basename(file))
  return isWithin(real, own) || (existsSync(file) && isWithin(real, realpathSync(file)))
}
