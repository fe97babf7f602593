// @ts-check
// The core module: the commands of plugins. `fs` gives each plugin a directory of its own, and the documents to those that may read them. A
// notice goes to the host with the label of its sender, which the plugin cannot choose.
import { command, defineCore } from '@sallyport/core'
import { fs } from '@sallyport/tauri-plugins'
import * as v from 'valibot'

export default defineCore({
  commands: {
    notify: command({ args: v.object({ text: v.pipe(v.string(), v.maxLength(200)) }) }, ({ text }, { app, label }) =>
      app.emit('notice', { label, text }),
    ),
  },
  plugins: [fs({ own: process.env['PLUGIN_STORAGE'] ?? new URL('./storage/', import.meta.url) })],
})
