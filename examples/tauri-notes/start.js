// @ts-check
// Starts the app: the core in JavaScript, and all else as a Tauri project has it, by its own tauri.conf.json.
import { createBus } from '@sallyport/core'

const bus = await createBus({
  config: new URL('./src-tauri/tauri.conf.json', import.meta.url),
  core: new URL('./src-tauri/core.js', import.meta.url),
  // Its sandbox has no output of its own: what it prints is printed here.
  frontends: {
    main: { module: new URL('./src/main.js', import.meta.url), onStdio: text => process.stdout.write(text) },
  },
})
try {
  await bus.once('done', { timeout: 60_000 })
} finally {
  await bus.close()
}
