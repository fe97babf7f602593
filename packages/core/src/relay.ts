// Entry of the thread of relays, which runs no code of a frontend.
import { parentPort } from 'node:worker_threads'
import { serveTenants } from '@sallyport/protocol/internal'
import { runRelay } from './relay/run-relay.js'

serveTenants(parentPort!, runRelay)
