// Entry of the thread of relays, which runs no code of a frontend.
import { parentPort } from 'node:worker_threads'
import { serveMembers } from '@sallyport/protocol/internal/contract'
import { runRelay } from './host/sandboxes/process/relay/run-relay.js'

serveMembers(parentPort!, runRelay)
