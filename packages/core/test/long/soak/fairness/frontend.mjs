// A frontend that makes sequential calls, or floods, for a while.
import { expose, invoke } from '@sallyport/frontend'
import { setTimeout as delay } from 'node:timers/promises'

const SECONDS = 3

/** Makes calls one after another, 1 ms apart. */
async function quiet() {
  const times = []
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end;) {
    const from = performance.now()
    await invoke('work')
    times.push((performance.now() - from) * 1000)
    await delay(1)
  }
  times.sort((a, b) => a - b)
  return { p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] }
}

/** Makes as many calls as possible, `width` at a time. */
async function flood({ width }) {
  let calls = 0
  const end = performance.now() + SECONDS * 1000
  const loop = async () => {
    while (performance.now() < end) {
      await invoke('work')
      calls++
    }
  }
  await Promise.all(Array.from({ length: width }, loop))
  return calls / SECONDS
}

expose({ quiet, flood })
