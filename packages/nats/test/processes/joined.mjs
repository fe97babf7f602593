// A process that has joined a bus, with connections of its own and frontends in workers.
import { issueCredential, joinBus } from '@sallyport/nats'
import { BroadcastChannel } from 'node:worker_threads'
import { Load } from './load.mjs'
import { given, serve } from './serve.mjs'

const { join, pattern, credentials, secret } = given
const joined = await joinBus({
  ...join,
  log: false,
  app: { security: { pattern: { use: pattern } } },
  credentials: credentials ?? (label => issueCredential(secret, { label })),
})
const clients = new Map()
const loads = new Map()
const faults = []
const heard = []
joined.on('fault', ({ label, error }) => faults.push({ label, reason: error.reason, message: error.message }))

/** The next answer of the worker with this label, to `message` where there is one. */
function askGuest(label, message) {
  const channel = new BroadcastChannel(`guest ${label}`)
  return new Promise(resolve => {
    channel.onmessage = ({ data }) => {
      if (!data.answer) return
      channel.close()
      resolve(data.answer.result)
    }
    if (message) channel.postMessage(message)
  })
}

serve({
  async connect({ label, ...options }) {
    const client = await joined.connect(label, options)
    client.expose({ where: () => process.pid, never: () => new Promise(() => {}) })
    clients.set(label, client)
  },
  /** Resolves once its code runs. */
  async open({ label, ...options }) {
    const runs = askGuest(label)
    const module = new URL('guest.mjs', import.meta.url)
    await joined.open(label, module, { sandbox: 'none', data: { label }, ...options })
    await runs
  },
  closeFrontend: label => joined.closeFrontend(label),
  guest: ({ label, method, args }) => askGuest(label, { method, args }),
  invoke: ({ label, command, args, options }) => clients.get(label).invoke(command, args, options),
  numbers: async ({ label, to }) => {
    let count = 0
    for await (const at of clients.get(label).stream('numbers', { to })) if (at === count) count += 1
    return count
  },
  async listen({ label, event }) {
    const hear = ({ payload }) => heard.push(payload.filler === undefined ? payload : payload.at)
    await clients.get(label).listen(event, hear)
  },
  emit: ({ label, event, payload }) => clients.get(label).emit(event, payload),
  heard: () => heard,
  faults: () => faults,
  load: ({ label, name = label, ...options }) => {
    const client = clients.get(label)
    loads.set(name, new Load(name, (...call) => client.invoke(...call), options))
  },
  answered: name => loads.get(name).answered,
  report: name => loads.get(name).report,
  settle: name => loads.get(name).stop(),
  memory: () => process.memoryUsage().rss,
  close: () => joined.close(),
})
