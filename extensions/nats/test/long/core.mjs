// The core of an instance, for tests.
import { defineCore } from '@sallyport/core'

export default defineCore({
  commands: {
    greet: (/** @type {{ name: string }} */ { name }) => `Hello, ${name}!`,
    label: (_args, { label }) => label,
    emit: ({ to, event, payload }, { app }) =>
      to === undefined ? app.emit(event, payload) : app.emitTo(to, event, payload),
    count: (() => {
      let count = 0
      return () => ++count
    })(),
    never: () => new Promise(() => {}),
  },
})
