// What plugins may ask for: each command needs a permission (`notify`: `allow-notify`) that the host has granted the plugin.
// `label` says who calls; it is known by the link, and no plugin chooses it.
import { defineCore } from '@sallyport/core'

const settings = new Map([['language', 'English']])

export default defineCore({
  commands: {
    notify: ({ text }, { app, label }) => app.emit('notice', { label, text }),
    read_setting: ({ name }) => settings.get(name) ?? null,
  },
})
