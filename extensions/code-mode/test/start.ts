// A bus for the tests of a file.
import { type Bus, createBus, defineCore } from '@sallyport/core'
import { afterAll, beforeAll } from 'vitest'

/** Returns a function that returns the bus, which has the command `add`. */
export function reuseBus(): () => Bus {
  let bus: Bus
  beforeAll(async () => {
    const core = defineCore({ commands: { add: ({ a, b }: { a: number; b: number }) => a + b } })
    bus = await createBus({ core, log: false })
  })
  afterAll(() => bus.close())
  return () => bus
}
