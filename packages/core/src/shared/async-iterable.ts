// How values of an async iterable are read, and how it ends when nobody reads them any more.

/** Streams of the platform are ended while they wait for data; their own iterators would wait for it first. */
export function getIterator(source: AsyncIterable<unknown>): AsyncIterator<unknown> {
  const { getReader, destroy } = source as { getReader?: unknown; destroy?: unknown }
  if (typeof getReader === 'function') {
    const reader = (source as unknown as ReadableStream<unknown>).getReader()
    return { next: () => reader.read() as Promise<IteratorResult<unknown>>, return: () => reader.cancel().then(done) }
  }
  const iterator = source[Symbol.asyncIterator]()
  if (typeof destroy !== 'function') return iterator
  return {
    next: () => iterator.next(),
    return: async () => {
      Reflect.apply(destroy, source, [])
      return (await iterator.return?.()) ?? done()
    },
  }
}

const done = (): IteratorReturnResult<undefined> => ({ done: true, value: undefined })

/** What its `finally` throws is for nobody. */
export async function leaveIterator(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // It has ended all the same.
  }
}

/** Ends what a handler gave and nobody will read. */
export async function dismiss(source: AsyncIterable<unknown>): Promise<void> {
  try {
    await leaveIterator(getIterator(source))
  } catch {
    // It never began.
  }
}

// A stream that tells when it has come to its end, whoever ended it.

/** @param ended is called once: the source is done, has thrown, can't be read, or has been left and its `return` has come back */
export function countedStream(source: AsyncIterable<unknown>, ended: () => void): AsyncIterable<unknown> {
  let left = false
  const end = (): void => {
    if (!left) ended()
    left = true
  }
  const begin = (): AsyncIterator<unknown> => {
    try {
      return getIterator(source)
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
