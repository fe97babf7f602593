// Options and arguments of a call of a frontend's function, by a handler or by the host.
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { checkOptionNames, isBytes } from '@sallyport/protocol/internal/message'
import { didYouMean } from '../shared/suggest.js'
import type { CallOptions, TransferOptions } from '@sallyport/protocol/internal/message'

const OPTIONS: ReadonlySet<string> = new Set(['signal', 'timeout', 'transfer'])

/** For the texts of errors. */
export const FUNCTION: { noun: string; suggest: typeof didYouMean } = { noun: 'function', suggest: didYouMean }
export const describeFunction = (name: string): string => `function ${describeName(name)}`

type Class = abstract new (...args: never[]) => object

export function checkFrontendCall(name: string, args: unknown, options?: CallOptions & TransferOptions): void {
  checkOptionNames(name, options, OPTIONS, args, FUNCTION)
}

export const createNoStreamError = (name: string): BusError =>
  new BusError('InvalidRequest', `${describeName(name)} returned one value instead of a stream. Call it with call`)

export const holdsInstance = (args: unknown, type: Class): boolean =>
  typeof args === 'object' &&
  args !== null &&
  !isBytes(args) &&
  Object.values(args).some(value => value instanceof type)
