// Memory after a garbage collection, in bytes: heap and external buffers of a thread, and resident memory of the process, which
// includes native objects.
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'

v8.setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

export interface Memory {
  held: number
  resident: number
}

/** Less than this between two collections is code that V8 compiles meanwhile. */
const STEADY_BYTES = 4096

export async function memory(): Promise<Memory> {
  // A collection leaves what finalizers, ports and compilers release only after it, and on a busy machine that is late: collected until
  // three collections in a row find nothing more.
  let steady = 0
  let held = Infinity
  while (steady < 3) {
    collect()
    await new Promise(resolve => setTimeout(resolve, 5))
    const { heapUsed, external } = process.memoryUsage()
    const now = heapUsed + external
    steady = now < held - STEADY_BYTES ? 0 : steady + 1
    held = Math.min(held, now)
  }
  return { held, resident: process.memoryUsage.rss() }
}
