// A bare MessagePort with one post for all messages of a turn: what there is to win by that alone.
import type { MessagePort } from 'node:worker_threads'
import { answerOver, callOver, type Lane } from '../workers/raw-calls.js'
import type { RawMessage } from '../workers/raw-subject.js'
import type { Peer } from './peer.js'

function over(port: MessagePort): Lane {
  let batch: RawMessage[] = []
  const flush = (): void => {
    port.postMessage(batch)
    batch = []
  }
  return {
    send: message => {
      // When all promises of this turn have settled.
      if (batch.push(message) === 1) process.nextTick(flush)
    },
    receive: take => void port.on('message', (messages: RawMessage[]) => messages.forEach(take)),
  }
}

export const peer: Peer = {
  serve: (port, handlers) => answerOver(over(port), handlers),
  connect: port => callOver(over(port)),
}
