// A program without Sallyport: threads that are terminated while threads of their own run. Prints the ports of this thread before and
// after, with a further channel, and with that channel closed but referenced.
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { MessageChannel, Worker } from 'node:worker_threads'
import { countPorts } from './thread-ports.mjs'

const THREADS = 5
const child = `require('node:worker_threads').parentPort.on('message', () => {})`
const parent = `const { parentPort, Worker } = require('node:worker_threads')
new Worker(${JSON.stringify(child)}, { eval: true }).on('online', () => parentPort.postMessage('ready'))`

/** The ports of a worker close a little after its exit. */
async function count(isSettled) {
  for (;;) {
    await delay(10)
    const ports = countPorts()
    if (isSettled(ports)) return ports
  }
}

async function startAndTerminate() {
  const worker = new Worker(parent, { eval: true })
  await once(worker, 'message')
  await worker.terminate()
}

// Node creates objects of its own with the first worker.
await startAndTerminate()
const before = await count(({ kept }) => kept === 1)
for (let i = 0; i < THREADS; i++) await startAndTerminate()
const after = await count(({ kept, others }) => kept === 1 + THREADS && others <= before.others)
const channel = new MessageChannel()
const withOpen = countPorts()
const closed = once(channel.port1, 'close')
channel.port1.close()
await closed
const withClosed = countPorts()
console.log(JSON.stringify({ before, after, withOpen, withClosed }))
