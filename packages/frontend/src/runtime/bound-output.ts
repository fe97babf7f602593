// Bounds what a thread prints faster than the host takes it, which would fill the memory of both.
import { MAX_WAITING_OUTPUT } from '@sallyport/protocol/internal/wire'
import type { Writable } from 'node:stream'

/** Cost of a write in addition to its characters, so that many small ones do not evade the limit. */
const WRITE_COST = 64

type WriteCallback = (error?: Error | null) => void

/** One that throws does not keep the others from being called. */
function callAll(batch: IterableIterator<WriteCallback>): void {
  let isOver = false
  try {
    for (const callback of batch) callback()
    isOver = true
  } finally {
    if (!isOver) process.nextTick(callAll, batch)
  }
}

/**
 * Drops what is written while more waits than the limit. A single larger write is accepted if nothing waits.
 *
 * @param onDropped - called once the stream has drained, or when the thread exits, with the number of characters or bytes that were
 * dropped since the last call
 */
export function boundOutput(stream: Writable, onDropped: (count: number) => void): void {
  const write = stream.write.bind(stream) as (chunk: unknown, encoding: BufferEncoding, done: WriteCallback) => boolean
  let waiting = 0
  let dropped = 0
  /** Of writes that were dropped. */
  let callbacks: WriteCallback[] = []
  const report = (): void => {
    const count = dropped
    dropped = 0
    if (count > 0) onDropped(count)
  }
  process.once('exit', report)
  const bounded = (chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean => {
    const done = typeof encoding === 'function' ? encoding : callback
    const { length } = Object(chunk) as { length?: unknown }
    const size = typeof length === 'number' ? length : 0
    const cost = size + WRITE_COST
    if (waiting > 0 && waiting + cost > MAX_WAITING_OUTPUT) {
      dropped += size
      // One tick for all: a tick for each would keep the thread from stopping while it works off a flood.
      if (done && callbacks.push(done) === 1) {
        process.nextTick(() => {
          const batch = callbacks.values()
          callbacks = []
          callAll(batch)
        })
      }
      return false
    }
    waiting += cost
    return write(chunk, (typeof encoding === 'string' ? encoding : undefined) as BufferEncoding, error => {
      waiting -= cost
      if (waiting === 0) report()
      done?.(error)
    })
  }
  stream.write = bounded as typeof stream.write
}
