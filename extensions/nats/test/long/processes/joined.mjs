// A joined process, with connections of its own and frontends in workers.
import { issueCredential, joinBus } from '@sallyport/nats'
import { BroadcastChannel } from 'node:worker_threads'
import { Load } from './load.mjs'
import { options, serve } from './serve.mjs'

const { join, pattern, credentials, secret } = options
/** Credentials of the test's choice, by label. */
const chosen = new Map()
const joined = await joinBus({
  ...join,
  log: false,
  ...(pattern === 'isolation' && { isolation: {} }),
  credentials: credentials ?? (label => chosen.get(label) ?? issueCredential(secret, { label })),
})
const clients = new Map()
const loads = new Map()
const faults = []
const received = []
joined.on('fault', ({ label, error }) => faults.push({ label, reason: error.reason, message: error.message }))

/** Returns the next answer of the frontend in a worker: to `message`, if given. */
function callWorker(label, message) {
  const channel = new BroadcastChannel(`frontend ${label}`)
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
  choose: ({ label, credential }) => void chosen.set(label, credential),
  async connect({ label, ...options }) {
    const client = await joined.connect(label, options)
    client.expose({ where: () => process.pid, never: () => new Promise(() => {}) })
    clients.set(label, client)
  },
  /** Resolves once the frontend's code runs. */
  async open({ label, ...options }) {
    const isReady = callWorker(label)
    const module = new URL('frontend.mjs', import.meta.url)
    await joined.open(label, module, { sandbox: 'none', data: { label }, ...options })
    await isReady
  },
  closeFrontend: label => joined.closeFrontend(label),
  worker: ({ label, method, args }) => callWorker(label, { method, args }),
  invoke: ({ label, command, args, options }) => clients.get(label).invoke(command, args, options),
  /** Returns how many numbers of a stream arrived in order. */
  numbers: async ({ label, to }) => {
    let count = 0
    for await (const number of clients.get(label).stream('numbers', { to })) if (number === count) count += 1
    return count
  },
  async listen({ label, event }) {
    const listener = ({ payload }) => received.push(payload.filler === undefined ? payload : payload.at)
    await clients.get(label).listen(event, listener)
  },
  emit: ({ label, event, payload }) => clients.get(label).emit(event, payload),
  received: () => received,
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
