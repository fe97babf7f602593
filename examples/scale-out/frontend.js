// @ts-check
// A frontend in its own process, without core. It has one credential, which proves only its label.
import { isBusError } from '@sallyport/core'
import { joinBus } from '@sallyport/nats'
import { setTimeout as delay } from 'node:timers/promises'

/** @type {import('@sallyport/nats').JoinedBus | undefined} */
let joined
/** @type {import('@sallyport/core').Client} */
let client
/** @type {unknown[]} */
const news = []

/** @param {import('@sallyport/nats').JoinOptions & { label: string, sticky: boolean }} options */
export async function start({ label, sticky, ...options }) {
  joined = await joinBus({ ...options, log: false })
  client = await joined.connect(label, { sticky })
  await client.listen('news', ({ payload }) => void news.push(payload))
}

/**
 * Keeps `calls` calls in flight for `ms` milliseconds. Returns the number of answers by core. Also returns how many calls rejected because
 * a core ended, by `delivered`, and the longest time that such a call took, in ms.
 *
 * @param {{ calls: number, ms: number }} options
 */
export async function work({ calls, ms }) {
  const start = performance.now()
  /** @type {Record<string, number>} */
  const answered = {}
  const lost = { no: 0, unknown: 0 }
  let sent = 0
  let longest = 0
  async function oneAfterAnother() {
    while (performance.now() - start < ms) {
      sent++
      const begun = performance.now()
      try {
        const core = /** @type {string} */ (await client.invoke('work'))
        answered[core] = (answered[core] ?? 0) + 1
      } catch (error) {
        if (!isBusError(error, 'Disconnected')) throw error
        lost[/** @type {{ delivered: 'no' | 'unknown' }} */ (error.data).delivered]++
        longest = Math.max(longest, performance.now() - begun)
        await delay(50) // for a moment there can be no core
      }
    }
  }
  await Promise.all(Array.from({ length: calls }, oneAfterAnother))
  return { sent, answered, lost, longest, seconds: (performance.now() - start) / 1000 }
}

/** Resolves when calls run on `cores` cores. A new core is found within seconds. @param {{ cores: number }} options */
export async function reach({ cores }) {
  for (;;) {
    const { answered, lost } = await work({ calls: cores, ms: 100 })
    if (Object.keys(answered).length === cores && lost.no + lost.unknown === 0) return
  }
}

/** Counts `times` times, sequentially. @param {{ times: number }} options */
export async function count({ times }) {
  const counts = []
  for (let n = 0; n < times; n++) counts.push(await client.invoke('count'))
  return counts
}

/** @param {{ text: string }} options */
export const announce = options => client.invoke('announce', options)

/** Returns the received news, once there are any. */
export async function received() {
  while (news.length === 0) await delay(10)
  return news
}

export const end = () => joined?.close()
