// The commands of a life: answers of any size, now, later or never, streams, events, calls to frontends, and the ends of core.
import { setTimeout as delay } from 'node:timers/promises'
import { defineCore } from '@sallyport/core'

const toText = size => 'x'.repeat(size)

/** Says that a command runs. Whoever counts must not hear it twice, and not of a call that was not delivered. */
const ran = (app, token) => void app.emit('ran', { token })

export default defineCore({
  commands: {
    echo: ({ token, size }, { app }) => {
      ran(app, token)
      return { token, text: toText(size) }
    },
    later: async ({ token, size }, { app, signal }) => {
      ran(app, token)
      await delay(5, undefined, { signal })
      return { token, text: toText(size) }
    },
    hold: ({ token }, { app, signal }) => {
      ran(app, token)
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
    },
    stream: async function* ({ token, count, size }, { app }) {
      ran(app, token)
      for (let n = 0; n < count; n++) yield { n, text: toText(size) }
    },
    ask: ({ label, name, args }, { app, signal }) => app.call(label, name, args, { signal }),
    pour: ({ label, count, size }, { app }) => {
      for (let n = 0; n < count; n++) app.emitTo(label, 'noise', { n, text: toText(size) })
    },
    end: ({ how, text }) => {
      setTimeout(() => {
        if (how === 'exit') process.exit(3)
        throw new Error(text)
      })
      return new Promise(() => {})
    },
  },
})
