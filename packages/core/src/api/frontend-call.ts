// Options and arguments of a call of a frontend's function, by a handler or by the host.
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { checkOptionNames, isBytes } from '@sallyport/protocol/internal/message'
import { didYouMean } from '../shared/suggest.js'
import type { CallOptions, TransferOptions } from '@sallyport/protocol/internal/message'

const OPTIONS: ReadonlySet<string> = new Set(['signal', 'timeout', 'transfer'])

export const describeFunction = (name: string): string => `function ${describeName(name)}`

type Class = abstract new (...args: never[]) => object

export function checkFrontendCall(name: string, args: unknown, options?: CallOptions & TransferOptions): void {
  checkFunctionOptions(name, options, OPTIONS, args)
}

/** @throws {BusError} InvalidParams, as `checkOptionNames`, with the nearest name. Pages have no use for that, so it is not there */
export function checkFunctionOptions(name: string, options: unknown, known: ReadonlySet<string>, args: unknown): void {
  const names = typeof options === 'object' && options ? Object.keys(options) : []
  const unknown = names.find(each => !known.has(each))
  if (unknown === undefined) return checkOptionNames(name, options, known, args)
  const hint = didYouMean(unknown, known)
  const text = `${describeFunction(name)} has no option ${JSON.stringify(unknown)}${hint}: it has ${[...known].join(', ')}`
  throw new BusError('InvalidParams', text)
}

export const createNoStreamError = (name: string): BusError =>
  new BusError('InvalidRequest', `${describeName(name)} returned one value instead of a stream. Call it with call`)

export const holdsInstance = (args: unknown, type: Class): boolean =>
  typeof args === 'object' &&
  args !== null &&
  !isBytes(args) &&
  Object.values(args).some(value => value instanceof type)
