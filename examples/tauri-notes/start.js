// @ts-check
// Starts the app: the core in JavaScript, and the rest of a Tauri project from its own tauri.conf.json.
import { createBus } from '@sallyport/core'

const bus = await createBus({
  config: new URL('./src-tauri/tauri.conf.json', import.meta.url),
  core: new URL('./src-tauri/core.js', import.meta.url),
  // Prints its output here, without its label.
  frontends: {
    main: { module: new URL('./src/main.js', import.meta.url), onStdio: text => process.stdout.write(text) },
  },
})
try {
  await bus.once('done', { timeout: 60_000 })
} finally {
  await bus.close()
}
