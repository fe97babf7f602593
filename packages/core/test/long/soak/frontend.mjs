// A frontend of the soak: makes traffic when the host asks for it, and fails on request.
import * as bus from '@sallyport/frontend'
import { memory } from './memory.mjs'
import { exposed, runTraffic } from './random-traffic.mjs'

const label = bus.getLabel()
const block = ms => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

bus.expose({
  ...exposed,
  memory,
  hook: args => bus.invoke('echo', args),
  traffic: args => runTraffic({ ...bus, label }, args),
  flood: async ({ calls, events }) => {
    for (let i = 0; i < events; i++) bus.emit('flooded', { i }).catch(() => {})
    const settled = await Promise.allSettled(Array.from({ length: calls }, (_, i) => bus.invoke('echo', { i })))
    return settled.filter(({ status }) => status === 'fulfilled').length
  },
  block: ({ ms }) => block(ms),
  end: ({ how }) => {
    setTimeout(() => {
      if (how === 'exit') process.exit(3)
      if (how === 'loop') for (;;);
      if (how === 'reject') return void Promise.reject(new Error('the frontend is ended'))
      throw new Error('the frontend is ended')
    })
    // The call settles when the frontend has ended.
    return new Promise(() => {})
  },
})
await bus.listen('pong', () => {})
await bus.listen('poured', () => {})
await bus.listen('flooded', () => {})
