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

export async function memory(): Promise<Memory> {
  // Objects that finalizers release in the first collection are freed in the second.
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { held: heapUsed + external, resident: rss }
}
