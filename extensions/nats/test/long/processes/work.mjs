// The core of an instance. It records each call before it runs it, so that the record survives when the process is killed.
import { defineCore } from '@sallyport/core'
import { openSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { options } from './serve.mjs'

const { instance, executions } = options
const file = openSync(executions, 'a')

export default defineCore({
  commands: {
    /** Each id is used for one call only. */
    work: async ({ id, ms, size = 0 }) => {
      writeSync(file, `${String(id)}\n`)
      if (ms > 0) await delay(ms)
      return { id, instance, filler: 'x'.repeat(size) }
    },
    who: () => instance,
    /** Runs until it is aborted. */
    hold: (_args, { signal }) => new Promise((_resolve, reject) => (signal.onabort = () => reject(signal.reason))),
    echo: args => args,
    /** Emits many large events in one tick. */
    flood: ({ to, event, count, size }, { app }) => {
      for (let at = 0; at < count; at++) app.emitTo(to, event, { at, filler: 'x'.repeat(size) })
    },
    die: () => process.exit(1),
    numbers: async function* ({ to }) {
      for (let number = 0; number < to; number++) yield number
    },
  },
})
