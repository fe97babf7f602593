// @ts-check
// The frontend: two downloads, the second of which it cancels half-way.
import { createClient, getData, isBusError } from '@sallyport/frontend'

const api = /** @type {typeof createClient<typeof import('./core.js').default>} */ (createClient)()
/** @type {{ origin: string }} */
const { origin } = getData()

/**
 * Downloads to the end, or until the part `enough` has arrived (1 is all).
 *
 * @param {string} name
 * @param {number} enough
 */
async function download(name, enough) {
  const controller = new AbortController()
  const { signal } = controller
  let tenths = 0
  try {
    for await (const { received, total } of api.stream(
      'plugin:downloads|download',
      { url: `${origin}/${name}`, name },
      { signal },
    )) {
      const part = total === null ? 0 : received / total
      while (tenths < Math.floor(part * 10)) console.log(`${name} ${'█'.repeat(++tenths).padEnd(10, '░')} ${tenths}0 %`)
      if (part >= enough) controller.abort()
    }
    console.log(`${name} is here`)
  } catch (error) {
    if (!isBusError(error, 'Cancelled')) throw error
    console.log(`${name} was cancelled`)
  }
}

await download('photo.jpg', Infinity)
await download('film.mp4', 0.5)
// Leaving the loop (break, return, throw) cancels as well, without an error.
await api
  .stream('plugin:downloads|download', { url: 'https://elsewhere.example/', name: 'x' })
  .next()
  .catch(error => console.log(error.message))
await api.emit('done')
