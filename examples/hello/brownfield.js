// @ts-check
// Runs main.js against core.js in the brownfield pattern, the default: there is no gate between them. The frontend can call the
// commands that it is allowed.
import { createBus } from '@sallyport/core'

console.log('Brownfield: main.js calls core.js.')
const bus = await createBus({
  core: new URL('./core.js', import.meta.url),
  frontends: {
    main: {
      module: new URL('./main.js', import.meta.url),
      allow: ['greet', 'process_data', 'read_file', 'download'],
      // Prints its output here, without its label.
      onStdio: text => process.stdout.write(text),
    },
  },
})
try {
  await bus.once('main-done', { timeout: 60_000 })
} finally {
  await bus.close() // ends every thread, so the process exits
}
