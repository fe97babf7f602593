// @ts-check
// The core module: the same CPU-heavy function twice, once in core's own thread and once in the pool, and a ping.
import { command, defineCore } from '@sallyport/core'
import * as v from 'valibot'
import render from './render.js'

/** A part of the picture: `rows` lines from `top` on, of a picture of `columns` by `height`. */
const Tile = v.object({
  top: v.pipe(v.number(), v.integer(), v.minValue(0)),
  rows: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
  columns: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(200)),
  height: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
  /** Maximum number of steps for each point. */
  steps: v.pipe(v.number(), v.integer(), v.minValue(1)),
})

export default defineCore({
  commands: {
    ping: () => 'pong',
    // In core's thread: other calls wait meanwhile. A call that blocks for ten seconds counts as an endless loop.
    render_in_core: command({ args: Tile }, render),
    // In a thread of the pool. Core checks the arguments before it uses a thread.
    render_in_pool: command({ args: Tile, thread: new URL('./render.js', import.meta.url) }),
  },
})
