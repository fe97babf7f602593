// The other threads of the tests that need them: each has one end of a link, and echoes, passes frames on, counts, runs random traffic, or does nothing.
import { parentPort, workerData } from 'node:worker_threads'
import { openLink } from '../../dist/link/endpoints.js'
import { runTraffic } from './random-traffic.mjs'

const { endpoint, role, traffic, first } = workerData
const link = openLink(endpoint, false)

if (role === 'echo') link.receive({ frame: frame => link.send(frame), closed: () => {} })
// Not awaited: Node 20 crashes if a thread is terminated while its module waits.
if (role === 'traffic') void runTraffic(link, traffic)
if (role === 'still') link.receive({ frame: () => {}, closed: () => {} })

if (role === 'count') {
  let bytes = 0
  link.receive({ frame: ({ body }) => (bytes += body.length), closed: () => parentPort.postMessage(bytes) })
}

if (role === 'pass on') {
  let isRunning = false
  link.receive({
    frame(frame) {
      if (!isRunning) parentPort.postMessage('running')
      isRunning = true
      link.send(frame)
    },
    closed: () => parentPort.postMessage('closed'),
  })
  for (let i = 0; i < first; i++) link.send({ kind: 2, body: new Uint8Array(100_000) })
}
