// The network by list of a frontend in a worker: the thread of relays has its broker.
import type { Worker } from 'node:worker_threads'
import { closeEndpoint, type LinkEndpoint } from '@sallyport/protocol/internal/link'
import type { SharedThreads } from '../../workers/shared-threads.js'
import type { SandboxThread } from '../kind/sandbox-config.js'
import type { BrokerOptions } from '../process/network/broker.js'
import { RELAYS } from '../process/process-config.js'
import type { BrokerData } from '../process/relay/run-broker.js'

/** @param link - the end of the link whose other one the worker has */
export function openBroker(
  worker: Worker,
  name: string,
  broker: BrokerOptions,
  link: LinkEndpoint,
  threads: SharedThreads,
): SandboxThread {
  const member = threads.open(RELAYS, `the broker of ${name}`, { broker, link } satisfies BrokerData)
  member.unref()
  worker.once('exit', () => void member.terminate())
  member.once('exit', () => closeEndpoint(link))
  // Without its network, the frontend would go on with requests that fail.
  member.on('error', (error: unknown) => {
    worker.emit('error', error as Error)
    void worker.terminate()
  })
  return Object.assign(worker, { broker: member })
}
