// A host that opens frontends, and tells by how much its memory has grown for each: its own resident set, and those of the
// processes that its frontends run in, which they tell themselves.
import { createBus, type Bus } from '@sallyport/core'
import { setTimeout as delay } from 'node:timers/promises'
import { tellApart } from '../arms/apart.js'
import { SANDBOXES, type SandboxName } from '../arms/sandboxes.js'
import { workerUrl } from '../arms/thread.js'
import type { Measurement } from '../task.js'
import { BENCH_EVENT } from './bench-event.js'

/** The first one also brings what all of them share. */
const FRONTENDS = 4
const HOOK = new URL('../../hooks/check/', import.meta.url)
/** Until threads that have started have given back what they needed for it. */
const SETTLE_MS = 250

const isSandbox = (name: string): name is SandboxName => Object.hasOwn(SANDBOXES, name)

/** With `isolation` each frontend has a gate as well. */
const isGate = (name: string): boolean => name === 'isolation'

async function measure(bus: Bus, name: string): Promise<number> {
  const sandbox = isGate(name) ? 'permission' : name
  if (!isSandbox(sandbox)) throw new Error(`no sandbox ${name}`)
  const { module, ...options } = SANDBOXES[sandbox]
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

async function report(name: string): Promise<Measurement> {
  const capabilities = [{ identifier: 'bench', windows: ['main-*'], permissions: ['allow-greet'] }]
  const pattern = isGate(name) ? { use: 'isolation' as const, options: { dir: HOOK } } : { use: 'brownfield' as const }
  const bus = await createBus({ core: workerUrl('bus-core'), log: false, app: { security: { pattern, capabilities } } })
  try {
    return { rss: await measure(bus, name) }
  } finally {
    await bus.close({ timeout: 0 })
  }
}

await tellApart(() => report(process.argv[2] ?? ''))
