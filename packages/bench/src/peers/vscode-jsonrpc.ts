// vscode-jsonrpc, over its own reader and writer for ports.
import type { MessagePort } from 'node:worker_threads'
import {
  createMessageConnection,
  PortMessageReader,
  PortMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node'
import type { Peer } from './peer.js'

const connectionOver = (port: MessagePort): MessageConnection =>
  createMessageConnection(new PortMessageReader(port), new PortMessageWriter(port))

export const peer: Peer = {
  serve: (port, handlers) => {
    const connection = connectionOver(port)
    for (const [command, handler] of Object.entries(handlers)) connection.onRequest(command, handler)
    connection.listen()
  },
  connect: port => {
    const connection = connectionOver(port)
    connection.listen()
    return (command, args) => connection.sendRequest(command, args)
  },
}
