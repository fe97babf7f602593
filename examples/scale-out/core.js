// @ts-check
// The core module, the same in all three processes. Each instance has its own memory: what it counts, the others don't know.
import { defineCore } from '@sallyport/core'
import { createHash } from 'node:crypto'

/** Who this is: its process was started under that name. */
const core = process.env.NAME ?? 'core'
const data = Buffer.alloc(2 ** 20, 'sallyport')
let count = 0

export default defineCore({
  commands: {
    /** Some CPU: of about a millisecond. */
    work() {
      createHash('sha256').update(data).digest()
      return core
    },
    /** State, in the memory of one instance. */
    count: () => ({ core, count: ++count }),
    /** To whoever listens, at whichever instance. */
    announce: (/** @type {{ text: string }} */ { text }, { app }) => app.emit('news', `${text} of ${core}`),
  },
})
