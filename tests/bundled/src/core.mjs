// The core of the program that is installed, bundled and run by each version of Node: a command of each kind.
import { command, defineCore } from '@sallyport/core'
import { hello } from './names.mjs'

export default defineCore({
  commands: {
    greet: (/** @type {{ name: string }} */ { name }) => hello(name),
    count: async function* ({ to }) {
      for (let number = 1; number <= to; number++) yield number
    },
    reverse: ({ bytes }) => bytes.toReversed(),
    square: command({ thread: new URL('./square.mjs', import.meta.url) }),
    refused: () => 'never',
  },
  setup(app) {
    app.listen('ask', event => app.emit('answer', event.payload))
  },
})
