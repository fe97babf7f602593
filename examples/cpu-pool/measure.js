// @ts-check
// Draws the picture in four parts at once, and pings core meanwhile: the pings take as long as calls of other frontends would.
import { setTimeout as delay } from 'node:timers/promises'

const PARTS = 4

/**
 * @param {import('@sallyport/core').Client} client
 * @param {'render_in_core' | 'render_in_pool'} command
 * @param {{ columns: number, height: number, steps: number }} picture
 */
export async function draw(client, command, picture) {
  const rows = picture.height / PARTS
  const parts = await Promise.all(
    Array.from(
      { length: PARTS },
      (_, part) => /** @type {Promise<string[]>} */ (client.invoke(command, { ...picture, rows, top: part * rows })),
    ),
  )
  return parts.flat().join('\n')
}

/**
 * Measures how long `work` takes, and each ping meanwhile, in ms.
 *
 * @template T
 * @param {import('@sallyport/core').Client} client
 * @param {Promise<T>} work
 */
export async function measure(client, work) {
  const start = performance.now()
  /** @type {number[]} */
  const pings = []
  let over = false
  const ended = work.finally(() => (over = true))
  while (!over) {
    const sent = performance.now()
    await client.invoke('ping')
    pings.push(performance.now() - sent)
    await delay(5)
  }
  return { result: await ended, took: performance.now() - start, pings: pings.toSorted((a, b) => a - b) }
}
