// A bare MessagePort that carries the text of each message as JSON, and clones nothing else.
import type { MessagePort } from 'node:worker_threads'
import { answerOver, callOver, type Lane } from '../workers/raw-calls.js'
import type { RawMessage } from '../workers/raw-subject.js'
import type { Peer } from './peer.js'

const over = (port: MessagePort): Lane => ({
  send: message => port.postMessage(JSON.stringify(message)),
  receive: take => void port.on('message', (text: string) => take(JSON.parse(text) as RawMessage)),
})

export const peer: Peer = {
  serve: (port, handlers) => answerOver(over(port), handlers),
  connect: port => callOver(over(port)),
}
