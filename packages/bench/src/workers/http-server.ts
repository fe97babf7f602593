// A server on this machine, in a thread of its own. Posts its port.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parentPort } from 'node:worker_threads'
import { RESPONSE_BYTES } from '../loops/fetches.js'

const body = Buffer.alloc(RESPONSE_BYTES)
const server = createServer((_request, response) => void response.end(body))
server.listen(0, '127.0.0.1', () => parentPort!.postMessage((server.address() as AddressInfo).port))
