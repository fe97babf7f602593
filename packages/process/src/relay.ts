// Entry of the thread of relays, which runs no code of a frontend.
import { parentPort } from 'node:worker_threads'
import { serveMembers } from '@sallyport/protocol/internal/contract'
import type { RelayData } from './relay/relay-data.js'
import { type BrokerData, runBroker } from './relay/run-broker.js'
import { runRelay } from './relay/run-relay.js'

serveMembers<RelayData | BrokerData>(parentPort!, (host, data) => {
  if ('launch' in data) return runRelay(host, data)
  return runBroker(host, data)
})
