// @ts-check
// Runs main.js against core.js in the isolation pattern: the hook in dist-isolation/ sees every message before core
// does, and messages that pass are encrypted. Each command of the app also needs a permission: the hook does not replace it.
import { createBus } from '@sallyport/core'
import { pino } from 'pino'

// The hook logs to the bus's log. Keeps the command's name of each line, `hook { cmd: 'greet', callback: 1, … }`.
/** @type {string[]} */
const seen = []
const log = pino({}, { write: line => void seen.push(/cmd: '(.+?)'/.exec(JSON.parse(line).msg)?.[1] ?? '') })

console.log('Isolation: main.js calls core.js, and a hook sees every message.')
const bus = await createBus({
  core: new URL('./core.js', import.meta.url),
  // Prints its output here, without its label.
  frontends: { main: { module: new URL('./main.js', import.meta.url), onStdio: text => process.stdout.write(text) } },
  isolation: { dir: new URL('./dist-isolation/', import.meta.url) },
  capabilities: [
    {
      identifier: 'main',
      windows: ['main'],
      permissions: ['allow-greet', 'allow-process-data', 'allow-read-file', 'allow-download'],
    },
  ],
  log,
})
try {
  await bus.once('main-done', { timeout: 60_000 })
} finally {
  await bus.close()
}
console.log('The hook saw:', seen.filter(Boolean).join(', '))
