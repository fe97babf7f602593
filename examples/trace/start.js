// @ts-check
// The host: begins the file before the bus starts, because core appends to it, and ends it after the bus has closed.
import { appendFileSync, writeFileSync } from 'node:fs'
import { createBus } from '@sallyport/core'
import { recordTrace } from './record-trace.js'
import { FILE, toLines } from './trace-file.js'

writeFileSync(FILE, '[\n')
const stop = recordTrace(events => appendFileSync(FILE, toLines(events)), 'host')
const bus = await createBus({
  core: new URL('./core.js', import.meta.url),
  frontends: { main: { module: new URL('./main.js', import.meta.url), allow: ['greet', 'trace'] } },
})
try {
  await bus.once('done', { timeout: 30_000 })
} finally {
  await bus.close()
  stop()
  appendFileSync(FILE, `${JSON.stringify({ name: 'end', ph: 'i', ts: 0, s: 't', pid: process.pid, tid: 0 })}\n]\n`)
}
console.log('Open run.trace.json in https://ui.perfetto.dev')
