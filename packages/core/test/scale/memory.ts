// What a thread holds once its garbage is collected, in bytes: its heap, and what buffers hold outside of it; and what the
// process has of the system, where native objects are in it too.
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'

v8.setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

export interface Memory {
  held: number
  resident: number
}

export async function memory(): Promise<Memory> {
  // What finalizers let go of in the first collection goes with the second.
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { held: heapUsed + external, resident: rss }
}
