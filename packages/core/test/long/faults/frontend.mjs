// A frontend with a call in flight that serves calls and fails on request.
import { expose, getData, invoke } from '@sallyport/frontend'
import { faults } from './inject.mjs'

let holding = 0
let calls = 0

expose({
  calls: () => ++calls,
  invoke: args => invoke('add', args),
  hold: () => {
    holding += 1
    return new Promise(() => {})
  },
  holding: () => holding,
  fault: ({ how }) => faults[how](),
  count: ({ i, last }) => (i === last ? faults.exit() : i),
  unencodable: ({ what }) =>
    ({
      bigint: 1n,
      cycle: globalThis,
      symbol: { [Symbol.iterator]: 1 },
      fails: {
        toJSON() {
          throw null
        },
      },
    })[what],
  detached: () => {
    const bytes = new Uint8Array(8)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    return bytes
  },
  'give-detached': async () => {
    const bytes = new Uint8Array(8)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    return invoke('add', { bytes }, { transfer: [bytes.buffer] }).catch(({ reason }) => reason)
  },
})
void invoke('hold').catch(() => {})
if (getData()?.storm) faults.throw()
