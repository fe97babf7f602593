// A frontend as an object whose methods call the functions that it exposes, and results of which nobody knows yet whether they are streams.
import { BusError, describeName, toNames } from '@sallyport/protocol/internal/errors'
import { isAsyncIterable } from '@sallyport/protocol/internal/util'
import { type CallOptions, checkOptionNames, isBytes, type TransferOptions } from '@sallyport/protocol/internal/message'

type CallFunction = (label: string, name: string, args?: object, options?: object) => FrontendResult

/** The result of a function: one value, or a stream, over which the result itself iterates. */
export type FrontendResult = Promise<unknown> & AsyncIterable<unknown>

/** Names that JavaScript and test runners look up, and call, on objects of any kind. */
const NEVER_CALLED: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  ...['then', 'toJSON', 'asymmetricMatch'],
])

/**
 * Returns an object of which every other member is a function that calls the frontend. Each call looks the label up: the frontend can
 * open later, restart or end.
 *
 * @param where - the function that returns the proxy, for error texts
 */
export function createFrontendProxy(where: string, label: string, call: CallFunction): object {
  if (typeof label !== 'string') {
    throw new BusError('InvalidParams', `${where} takes the label of a frontend: got ${typeof label}`)
  }
  const toString = (): string => `frontend ${describeName(label)}`
  const prototype: object = { toString, [Symbol.for('nodejs.util.inspect.custom')]: toString }
  return new Proxy(Object.freeze(Object.create(prototype)), {
    get: (target, name) =>
      typeof name === 'symbol' || NEVER_CALLED.has(name)
        ? (Reflect.get(target, name) as unknown)
        : (args?: object, options?: object) => call(label, name, args, options),
  })
}

/** Lets the promise of a result iterate over it. @param cancel - called when the loop is left */
export function toFrontendResult(name: string, answer: Promise<unknown>, cancel: () => void): FrontendResult {
  const iterate = (): AsyncIterator<unknown> => {
    // The loop gets its errors.
    answer.catch(() => {})
    return readResult(name, () => answer, cancel)
  }
  return Object.assign(answer, { [Symbol.asyncIterator]: iterate })
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * Iterates over a result, which is requested with the first value. Leaving the loop does not wait for the frontend.
 *
 * @param cancel - called when the loop is left
 */
export function readResult(
  name: string,
  request: () => Promise<unknown>,
  cancel: () => void,
): AsyncIterableIterator<unknown, void, undefined> {
  let opening: Promise<AsyncIterator<unknown>> | undefined
  let isOver = false
  const open = async (): Promise<AsyncIterator<unknown>> => {
    const result = await request()
    if (!isAsyncIterable(result)) throw createNoStreamError(name)
    return result[Symbol.asyncIterator]()
  }
  const iterator: AsyncIterableIterator<unknown, void, undefined> = {
    async next() {
      if (isOver) return DONE
      try {
        opening ??= open()
        const stream = await opening
        const result = isOver ? DONE : await stream.next()
        return isOver ? DONE : result
      } catch (error) {
        if (isOver) return DONE
        isOver = true
        throw error
      }
    },
    async return() {
      isOver = true
      cancel()
      opening?.then(stream => stream.return?.()).catch(() => {})
      return DONE
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

const OPTIONS = toNames<CallOptions & TransferOptions>({ signal: true, timeout: true, transfer: true })

export const describeFunction = (name: string): string => `function ${describeName(name)}`

type Class = abstract new (...args: never[]) => object

export const checkFrontendCall = (name: string, args: unknown, options?: CallOptions & TransferOptions): void =>
  checkOptionNames(name, options, OPTIONS, args, describeFunction)

export const createNoStreamError = (name: string): BusError =>
  new BusError('InvalidRequest', `${describeName(name)} returned one value instead of a stream. Call it with call`)

export const holdsInstance = (args: unknown, type: Class): boolean =>
  typeof args === 'object' &&
  args !== null &&
  !isBytes(args) &&
  Object.values(args).some(value => value instanceof type)
