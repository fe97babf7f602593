// @ts-check
// The part that is Rust in a Tauri app: its commands, and the plugin that its frontend calls.
import { defineCore } from '@sallyport/core'
import { fs } from '@sallyport/tauri-plugins'

let notes = 0

export default defineCore({
  commands: {
    /** @param {{ text: string }} args */
    title_of({ text }) {
      notes += 1
      return text.split('\n', 1)[0] ?? ''
    },
    /** @param {{}} _args @param {import('@sallyport/core').CommandContext} ctx */
    count_notes(_args, { app }) {
      app.emit('notes-counted', notes)
    },
  },
  plugins: [fs()],
})
