// The application: its core and the functions of its plugin are called in the tests.
import { defineCore } from '@sallyport/core'

export default defineCore({
  commands: {
    describe: ({ value }) => Object.prototype.toString.call(value),
    echo: ({ value }) => value,
    size: bytes => bytes.byteLength,
    render: ({ text }, { app }) => app.call('plugin', 'shout', { text }),
    until_cancelled: (_args, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', reject)),
    fill: async ({ channel }) => {
      await channel.send(new Uint8Array([1, 2]))
      await channel.send({ n: 3 })
      await channel.end()
    },
    async *count({ to }) {
      for (let n = 1; n <= to; n++) yield n
    },
  },
  setup: app => void app.listen('ping', ({ payload }) => app.emit('pong', payload)),
})
