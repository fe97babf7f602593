// The loop of requests over HTTP, in whichever process measures them.
import type { Measurement, Task } from '../model/scenario.js'
import { percentiles } from './subject.js'

/** Bytes of a response. */
export const RESPONSE_BYTES = 1024
/** The first requests open connections. */
const WARM_UP_REQUESTS = 20

export interface FetchTask extends Pick<Task, 'ms'> {
  url: string
  inFlight: number | undefined
}

/** Repeats a request, with `inFlight` of them at any time. @throws Error for a response that is not whole */
export async function measureFetches({ url, ms, inFlight = 1 }: FetchTask): Promise<Measurement> {
  const request = async (): Promise<number> => {
    const start = performance.now()
    const { byteLength } = await (await fetch(url)).arrayBuffer()
    if (byteLength !== RESPONSE_BYTES) throw new Error(`A response had ${byteLength} bytes`)
    return performance.now() - start
  }
  for (let made = 0; made < WARM_UP_REQUESTS; made++) await request()
  const latencies: number[] = []
  const start = performance.now()
  const repeat = async (): Promise<void> => {
    do latencies.push(await request())
    while (performance.now() < start + ms)
  }
  await Promise.all(Array.from({ length: inFlight }, repeat))
  const rate = (latencies.length / (performance.now() - start)) * 1000
  return { ...percentiles(Float64Array.from(latencies)), rate }
}
