// The reference: a bare MessagePort, one post and one structured clone for each message.
import type { MessagePort } from 'node:worker_threads'
import { answerOver, callOver, type Lane } from '../workers/raw-calls.js'
import type { Peer } from './peer.js'

const over = (port: MessagePort): Lane => ({
  send: message => port.postMessage(message),
  receive: take => void port.on('message', take),
})

export const peer: Peer = {
  serve: (port, handlers) => answerOver(over(port), handlers),
  connect: port => callOver(over(port)),
}
