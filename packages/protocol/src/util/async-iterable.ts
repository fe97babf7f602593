// Reads async iterables that handlers return, and ends those that are no longer read.
import { IS_NODE } from '#platform'

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** Returns an iterator that also ends a platform stream which waits for data: the stream's own iterator would wait first. */
export function getIterator(source: AsyncIterable<unknown>): AsyncIterator<unknown> {
  const { getReader, destroy } = source as { getReader?: unknown; destroy?: unknown }
  if (typeof getReader === 'function') {
    const reader = (source as unknown as ReadableStream<unknown>).getReader()
    return {
      next: () => reader.read(),
      return: () => reader.cancel().then(() => DONE),
    }
  }
  const iterator = source[Symbol.asyncIterator]()
  if (!IS_NODE || typeof destroy !== 'function') return iterator
  return {
    next: () => iterator.next(),
    return: async () => {
      Reflect.apply(destroy, source, [])
      return (await iterator.return?.()) ?? DONE
    },
  }
}

/** Ends an iterator. Never rejects: errors of its `finally` are dropped. */
export async function leaveIterator(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // The iterator has ended even so.
  }
}

/** Ends an iterable that has not been read. Never rejects. */
export async function discard(source: AsyncIterable<unknown>): Promise<void> {
  try {
    await leaveIterator(getIterator(source))
  } catch {
    // The iterator could not be created.
  }
}

/** @param onEnd - called once: the source is done, has thrown, cannot be read, or its `return` has settled */
export function countedStream(source: AsyncIterable<unknown>, onEnd: () => void): AsyncIterable<unknown> {
  let hasEnded = false
  const end = (): void => {
    if (!hasEnded) onEnd()
    hasEnded = true
  }
  return {
    [Symbol.asyncIterator](): AsyncIterator<unknown> {
      let iterator: AsyncIterator<unknown>
      try {
        iterator = getIterator(source)
      } catch (error) {
        end()
        throw error
      }
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
            return (await iterator.return?.()) ?? DONE
          } finally {
            end()
          }
        },
      }
    },
  }
}
