// The core of an instance. What it executes is written down before it is done: a process that is killed has told all the same.
import { defineCore } from '@sallyport/core'
import { openSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { given } from './serve.mjs'

const { instance, executions } = given
const file = openSync(executions, 'a')

const ofWork = {
  /** Each id is of one call, ever. */
  work: async ({ id, ms, size = 0 }) => {
    writeSync(file, `${id}\n`)
    if (ms > 0) await delay(ms)
    return { id, instance, filler: 'x'.repeat(size) }
  },
  who: () => instance,
  /** Until it is aborted. */
  hold: (_args, { signal }) => new Promise((_resolve, reject) => (signal.onabort = () => reject(signal.reason))),
  echo: args => args,
  /** To whoever listens: all of it at once. */
  flood: ({ to, event, count, size }, { app }) => {
    for (let at = 0; at < count; at++) void app.emitTo(to, event, { at, filler: 'x'.repeat(size) })
  },
  die: () => process.exit(1),
}

export default defineCore({
  commands: {
    ...ofWork,
    numbers: async function* ({ to }) {
      for (let at = 0; at < to; at++) yield at
    },
  },
})
