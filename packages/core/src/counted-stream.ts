// A stream that tells when it has come to its end, whoever ended it.
import { iteratorOf } from './async-iterable.js'

/** @param ended is called once: the source is done, has thrown, can't be read, or has been left and its `return` has come back */
export function countedStream(source: AsyncIterable<unknown>, ended: () => void): AsyncIterable<unknown> {
  let left = false
  const end = (): void => {
    if (!left) ended()
    left = true
  }
  const begin = (): AsyncIterator<unknown> => {
    try {
      return iteratorOf(source)
    } catch (error) {
      end()
      throw error
    }
  }
  return {
    [Symbol.asyncIterator](): AsyncIterator<unknown> {
      const iterator = begin()
      return {
        async next(): Promise<IteratorResult<unknown>> {
          try {
            const result = await iterator.next()
            if (result.done) end()
            return result
          } catch (error) {
            end()
            throw error
          }
        },
        async return(): Promise<IteratorResult<unknown>> {
          try {
            return (await iterator.return?.()) ?? { done: true, value: undefined }
          } finally {
            end()
          }
        },
      }
    },
  }
}
