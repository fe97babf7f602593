// The commands for plugins. Each needs a permission that the host grants: `notify` needs `allow-notify`.
// `label` identifies the caller. It comes from the link, so a plugin cannot choose it.
import { defineCore } from '@sallyport/core'

const settings = new Map([['language', 'English']])

export default defineCore({
  commands: {
    notify: ({ text }, { app, label }) => app.emit('notice', { label, text }),
    read_setting: ({ name }) => settings.get(name) ?? null,
  },
})
