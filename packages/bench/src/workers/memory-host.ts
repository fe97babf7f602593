// A host that opens frontends, and tells by how much its memory has grown for each: its own resident set, and those of the
// processes that its frontends run in, which they tell themselves.
import { createBus, type Bus } from '@sallyport/core'
import { setTimeout as delay } from 'node:timers/promises'
import type { MemoryReport } from '../arms/memory.js'
import { SANDBOXES, type SandboxName } from '../arms/sandboxes.js'
import { workerUrl } from '../arms/thread.js'
import { BENCH_EVENT } from './bench-event.js'

/** The first one also brings what all of them share. */
const FRONTENDS = 4
/** Until threads that have started have given back what they needed for it. */
const SETTLE_MS = 250

const isSandbox = (name: string): name is SandboxName => Object.hasOwn(SANDBOXES, name)

async function measure(bus: Bus, name: string): Promise<number> {
  if (!isSandbox(name)) throw new Error(`no sandbox ${name}`)
  const { module, ...options } = SANDBOXES[name]
  const labels = Array.from({ length: FRONTENDS }, (_, at) => `main-${at}`)
  await delay(SETTLE_MS)
  const before = process.memoryUsage.rss()
  let ready = 0
  const allReady = new Promise<void>((resolve, reject) => {
    bus.on('fault', ({ label, error }) => reject(new Error(`${label}: ${error.message}`)))
    bus.listen(BENCH_EVENT.ready, () => ++ready === FRONTENDS && resolve()).catch(reject)
  })
  for (const label of labels) await bus.open(label, module, options)
  await allReady
  await delay(SETTLE_MS)
  const elsewhere = name === 'process' ? await Promise.all(labels.map(label => bus.call<number>(label, 'memory'))) : []
  const here = process.memoryUsage.rss() - before
  return elsewhere.reduce((sum, rss) => sum + rss, here) / FRONTENDS
}

async function report(name: string): Promise<MemoryReport> {
  const bus = await createBus({ core: workerUrl('bus-core'), log: false })
  try {
    return { rss: await measure(bus, name) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  } finally {
    await bus.close({ timeout: 0 })
  }
}

process.on('disconnect', () => process.exit())
process.send?.(await report(process.argv[2] ?? ''))
process.disconnect()
