// The start of a bus, again and again: from createBus to the answer to the frontend's first call.
import type { Arm } from '../arm.js'
import { sharedClock } from '../workers/bench-event.js'
import { startBus, type BusSettings } from './bus.js'

export const startArm = (id: string, title: string, settings: BusSettings): Arm => ({
  id,
  title,
  open: async () => ({
    measure: async () => {
      const start = sharedClock()
      const { bus, ready } = await startBus(settings)
      try {
        const { at } = await ready
        return { time: at - start }
      } finally {
        await bus.close({ timeout: 0 })
      }
    },
    close: async () => {},
  }),
})

export const startRing: Arm = startArm('ring-json', 'ring JSON', { codec: 'json', link: 'ring' })
export const startIsolation: Arm = startArm('isolation-ring-json', 'isolation, ring JSON', {
  codec: 'json',
  link: 'ring',
  hook: 'check',
})
