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
  /** How exact: each point takes up to so many steps. */
  steps: v.pipe(v.number(), v.integer(), v.minValue(1)),
})

export default defineCore({
  commands: {
    ping: () => 'pong',
    // In core's thread: whoever calls meanwhile waits, and a call that takes ten seconds is taken for an endless loop.
    render_in_core: command({ args: Tile }, render),
    // In a thread of the pool. The arguments are checked in core, before a thread is taken.
    render_in_pool: command({ args: Tile, thread: new URL('./render.js', import.meta.url) }),
  },
})
