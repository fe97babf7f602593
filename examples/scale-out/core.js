// @ts-check
// The core module, the same in all three processes. Each instance has its own memory, so its count is its own.
import { defineCore } from '@sallyport/core'
import { createHash } from 'node:crypto'

/** Name of this core, from its process. */
const core = process.env.NAME ?? 'core'
const data = Buffer.alloc(2 ** 20, 'sallyport')
let count = 0

export default defineCore({
  commands: {
    /** Uses about a millisecond of CPU time. */
    work() {
      createHash('sha256').update(data).digest()
      return core
    },
    /** State in the memory of one instance. */
    count: () => ({ core, count: ++count }),
    /** Emits to listeners at all instances. */
    announce: (/** @type {{ text: string }} */ { text }, { app }) => app.emit('news', `${text} of ${core}`),
  },
})
