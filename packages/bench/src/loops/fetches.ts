// The loop of requests over HTTP, in whichever process measures them.
import type { Measurement, Task } from '../model/scenario.js'
import { repeat } from './subject.js'

/** Bytes of a response. */
export const RESPONSE_BYTES = 1024
/** The first requests open connections. */
const WARM_UP_REQUESTS = 20

export type FetchTask = Task & { url: string }

/** Repeats a request, with `inFlight` of them at any time. @throws Error for a response that is not whole */
export async function measureFetches({ url, ...task }: FetchTask): Promise<Measurement> {
  const request = async (): Promise<void> => {
    const { byteLength } = await (await fetch(url)).arrayBuffer()
    if (byteLength !== RESPONSE_BYTES) throw new Error(`A response had ${byteLength} bytes`)
  }
  for (let made = 0; made < WARM_UP_REQUESTS; made++) await request()
  return repeat(request, task)
}
