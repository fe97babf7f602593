// A program whose core fails several times, each time with a thread in its pool. Prints `{ before, after }`: the ports of this thread.
import { createBus } from '@sallyport/core'
import { setTimeout as delay } from 'node:timers/promises'
import { countPorts } from './thread-ports.mjs'

const FAILURES = 5
const supervision = { delay: { min: 1, max: 10 }, intensity: FAILURES + 1 }
const core = { module: new URL('core.mjs', import.meta.url), supervision }
const bus = await createBus({ core, log: false })
const client = await bus.connect('client')

/** Resolves once a core with a thread in its pool runs. */
async function useCore() {
  while ((await client.invoke('heavy', { n: 3 }).catch(() => 0)) !== 6) await delay(10)
}

async function endCore(how) {
  await client.invoke('end', { how }).catch(() => {})
  await useCore()
}

await useCore()
await endCore('throw')
const before = countPorts()
for (let i = 0; i < FAILURES; i++) await endCore(i % 2 ? 'exit' : 'throw')
let after
// Ports of ended threads close a little later. With a leak this never ends.
do {
  await delay(10)
  after = countPorts()
} while (after.others > before.others)
console.log(JSON.stringify({ before, after }))
await bus.close()
