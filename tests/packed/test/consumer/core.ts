// A core module as a user writes it in TypeScript.
import { command, defineCore, plugin, type Channel } from '@sallyport/core'

const files = plugin('files', { commands: { read: ({ name }: { name: string }) => name.length } })

export default defineCore({
  commands: {
    greet: ({ name }: { name: string }) => `Hello, ${name}!`,
    count: async ({ to }: { to: Channel<number> }) => to.send(1),
    async *lines() {
      yield 'one'
    },
    wipe: command({}, () => null),
  },
  plugins: [files],
})
