// @ts-check
// The host: draws the picture in core, then in the pool, and prints how long pings took meanwhile.
import { createBus } from '@sallyport/core'
import { draw, measure } from './measure.js'

const picture = { columns: 60, height: 16, steps: 400_000 }

const bus = await createBus({ core: new URL('./core.js', import.meta.url) })
try {
  const client = await bus.connect('tests')
  await draw(client, 'render_in_pool', { ...picture, steps: 100 }) // the pool's threads start with the first calls
  for (const command of /** @type {const} */ (['render_in_core', 'render_in_pool'])) {
    const { result, took, pings } = await measure(client, draw(client, command, picture))
    if (command === 'render_in_core') console.log(result)
    const median = pings[pings.length >> 1] ?? NaN
    console.log(
      `${command}: the picture took ${took.toFixed()} ms; ${pings.length} pings meanwhile:`,
      `median ${median.toFixed(1)} ms, longest ${pings.at(-1)?.toFixed(1)} ms`,
    )
  }
} finally {
  await bus.close()
}
