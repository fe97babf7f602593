// The core of the page in this directory: the two commands of Tauri's example, and host functions that answer without a person.
import { defineCore } from '@sallyport/core'
import {
  clipboardManager,
  dialog,
  fs,
  http,
  log,
  notification,
  opener,
  os,
  process as processPlugin,
  shell,
  store,
} from '@sallyport/tauri-plugins'

const picked = process.env.PICKED_FILE
let text = ''

export default defineCore({
  commands: {
    log_operation: ({ event, payload }, ctx) => ctx.app.log.info({ event, payload }, 'operation'),
    perform_request: ({ endpoint, body }) => [endpoint, 'message response for', body.name].join(' '),
  },
  plugins: [
    fs(),
    http(),
    store(),
    log(),
    os(),
    opener({ open: (url, { label }) => app.emitTo(label, 'opened', url) }),
    shell({ open: (url, { label }) => app.emitTo(label, 'opened', url) }),
    dialog({ message: ({ buttons }) => buttons[0], open: () => picked, save: () => picked }),
    notification({ notify: ({ title }, { label }) => app.emitTo(label, 'notified', title) }),
    clipboardManager({
      readText: () => text,
      writeText: written => void (text = written),
      writeImage: () => {},
    }),
    processPlugin({ exit: (code, { label }) => app.emitTo(label, 'exited', code), restart: () => {} }),
  ],
  setup(started) {
    app = started
    app.listen('js-event', ({ payload }) => app.emit('rust-event', `received ${String(payload)}`))
  },
})

let app
