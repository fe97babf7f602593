// @ts-check
// Runs main.js against core.js in the isolation pattern: the hook in dist-isolation/ sees every message before core
// does, and what it passes is sealed. Each app command needs a capability as well: the hook is no substitute for it.
import { createBus } from '@sallyport/core'
import { pino } from 'pino'

// What the hook logs goes to the bus's log. Of each line, `hook { cmd: 'greet', callback: 1, … }`, the name is kept.
/** @type {string[]} */
const seen = []
const log = pino({}, { write: line => void seen.push(/cmd: '(.+?)'/.exec(JSON.parse(line).msg)?.[1] ?? '') })

console.log('Isolation: main.js calls core.js, and a hook sees every message.')
const bus = await createBus({
  core: new URL('./core.js', import.meta.url),
  // Its sandbox has no output of its own: what it prints is printed here.
  frontends: { main: { module: new URL('./main.js', import.meta.url), onStdio: text => process.stdout.write(text) } },
  app: {
    security: {
      pattern: { use: 'isolation', options: { dir: new URL('./dist-isolation/', import.meta.url) } },
      capabilities: [
        {
          identifier: 'main',
          windows: ['main'],
          permissions: ['allow-greet', 'allow-process-data', 'allow-read-file', 'allow-download'],
        },
      ],
    },
  },
  log,
})
try {
  await bus.once('main-done', { timeout: 60_000 })
} finally {
  await bus.close()
}
console.log('The hook saw:', seen.filter(Boolean).join(', '))
