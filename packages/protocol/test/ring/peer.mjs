// The second thread of the tests that need one: it echoes, counts, runs random traffic, or does nothing.
import { parentPort, workerData } from 'node:worker_threads'
import { createRingLink } from '../../dist/link/ring/ring-link.js'
import { runTraffic } from './traffic.mjs'

const { out, in: inward, port, role, poll, traffic } = workerData
const link = createRingLink({ out, in: inward, port, poll })

if (role === 'echo') link.receive({ frame: frame => link.send(frame), closed: () => {} })
if (role === 'traffic') await runTraffic(link, traffic)
if (role === 'still') link.receive({ frame: () => {}, closed: () => {} })

if (role === 'count') {
  let bytes = 0
  link.receive({ frame: ({ body }) => (bytes += body.length), closed: () => parentPort.postMessage(bytes) })
}
