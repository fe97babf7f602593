// Ends a hook that keeps more and more, before V8 would: a thread whose heap is full takes the whole process with it where
// what does not fit is one large thing, as the table of a Map or a Set that grows.
import { getHeapStatistics } from 'node:v8'

/** In bytes, of the whole thread. Without a hook it needs 10 to 200 MB, by the size of its messages. */
export const MAX_HEAP: number = 768 * 2 ** 20

/** A look takes 0.2 µs. */
const TURNS_PER_LOOK = 16

/** To be called after each turn of the hook. Tells, once, when there is too much. */
export function createMemoryCheck(exceeded: () => void, limit: number = MAX_HEAP): () => void {
  let turns = 0
  let over = false
  return () => {
    turns += 1
    if (over || turns % TURNS_PER_LOOK !== 0 || getHeapStatistics().used_heap_size < limit) return
    over = true
    exceeded()
  }
}
