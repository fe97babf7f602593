// @ts-check
// A frontend in a process of its own, without core. It holds one credential, which proves its label and opens nothing else.
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
 * Keeps so many calls under way for so many milliseconds. Gives how many each core answered; how many were rejected as a core
 * was gone, by what is known of their delivery; and how long the longest of those was under way.
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
        await delay(50) // there may be no core for a moment
      }
    }
  }
  await Promise.all(Array.from({ length: calls }, oneAfterAnother))
  return { sent, answered, lost, longest, seconds: (performance.now() - start) / 1000 }
}

/** Until calls run on so many cores: one that has begun just now is found within seconds. @param {{ cores: number }} options */
export async function reach({ cores }) {
  for (;;) {
    const { answered, lost } = await work({ calls: cores, ms: 100 })
    if (Object.keys(answered).length === cores && lost.no + lost.unknown === 0) return
  }
}

/** Counts so many times, one after the other. @param {{ times: number }} options */
export async function count({ times }) {
  const counts = []
  for (let n = 0; n < times; n++) counts.push(await client.invoke('count'))
  return counts
}

/** @param {{ text: string }} options */
export const announce = options => client.invoke('announce', options)

/** What it has heard, once there is something. */
export async function heard() {
  while (news.length === 0) await delay(10)
  return news
}

export const end = () => joined?.close()
