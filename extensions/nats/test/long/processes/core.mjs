// A process with an instance of core.
import { createBus } from '@sallyport/core'
import { natsNetwork } from '@sallyport/nats'
import { options, serve } from './serve.mjs'

const { network, pattern } = options
const permissions = ['work', 'who', 'hold', 'echo', 'flood', 'numbers', 'die'].map(name => `allow-${name}`)
const bus = await createBus({
  core: new URL('work.mjs', import.meta.url),
  log: false,
  ...(pattern === 'isolation' && { isolation: {} }),
  capabilities: [{ identifier: 'all', windows: ['*'], permissions }],
  network: natsNetwork(network),
})
const faults = []
const restarts = []
const news = []
bus.on('fault', ({ label, error }) => faults.push({ label, reason: error.reason, message: error.message }))
bus.on('restart', ({ label }) => restarts.push(label))
await bus.listen('news', ({ payload }) => news.push(payload))

serve({
  faults: () => faults,
  restarts: () => restarts,
  news: () => news,
  stats: async () => (await bus.stats()).network,
  emit: ({ event, payload }) => bus.emit(event, payload),
  invoke: ({ label, method, args }) => bus.call(label, method, args, { timeout: 10_000 }),
  memory: () => process.memoryUsage().rss,
  close: () => bus.close({ timeout: 0 }),
})
