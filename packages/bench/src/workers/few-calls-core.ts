// The core module of `few-calls`. For callers without a clock, it notes when calls arrive.
import { defineCore, type CoreDefinition } from '@sallyport/core'
import { sharedClock } from '../shared/clock.js'

const greet = ({ name }: { name: string }): string => `Hello, ${name}!`

const arrivals: number[] = []

const core: CoreDefinition = defineCore({
  commands: {
    greet,
    clocked_greet: (args: { name: string }): string => {
      arrivals.push(sharedClock())
      return greet(args)
    },
    /** Each call arrives when the one before is answered. */
    clock_stop: ({ marks }: { marks: number[] }): number[] => marks.map(mark => arrivals[mark]!),
  },
})

// A core module is its default export.
// oxlint-disable-next-line import/no-default-export
export default core
