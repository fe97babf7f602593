// @ts-check
// The core module. It records its own thread, appends to the host's file, and takes what a trusted frontend has recorded.
import { appendFileSync } from 'node:fs'
import { defineCore, stateKey } from '@sallyport/core'
import { recordTrace } from './record-trace.js'
import { FILE, toLines } from './trace-file.js'

/** @param {import('./record-trace.js').TraceEvent[]} events */
const write = events => appendFileSync(FILE, toLines(events))

/** @type {import('@sallyport/core').StateKey<() => void>} */
const STOP = stateKey('stop-trace')

export default defineCore({
  commands: {
    /** @param {{ name: string }} args */
    greet: ({ name }) => `Hello, ${name}!`,
    /** @param {{ events: import('./record-trace.js').TraceEvent[] }} args */
    trace: ({ events }) => write(events),
  },
  setup: app => void app.manage(STOP, recordTrace(write, 'core')),
  teardown: app => app.state(STOP)(),
})
