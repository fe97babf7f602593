// A core that counts its handlers: `hold` waits until its signal aborts.
import { defineCore } from '@sallyport/core'

const held = {}
const getCounts = label => (held[label] ??= { began: 0, aborted: 0 })

export default defineCore({
  commands: {
    add: ({ a, b }) => a + b,
    held: ({ label }) => getCounts(label),
    hold: (_args, { label, signal }) => {
      getCounts(label).began += 1
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          getCounts(label).aborted += 1
          reject(signal.reason)
        })
      })
    },
    ask: ({ label, name, args }, { app }) => app.call(label, name, args),
  },
})
