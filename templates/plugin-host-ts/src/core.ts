// The commands for plugins. Each needs a permission that the host grants: `notify` needs `allow-notify`.
// `label` identifies the caller. It comes from the link, so a plugin cannot choose it.
import { defineCore } from '@sallyport/core'

/** The application's events, for the host. */
export interface Events {
  notice: { label: string; text: string }
}

const settings = new Map([['language', 'English']])

export default defineCore({
  commands: {
    notify: ({ text }: { text: string }, { app, label }) =>
      app.emit('notice', { label, text } satisfies Events['notice']),
    read_setting: ({ name }: { name: string }) => settings.get(name) ?? null,
  },
})
