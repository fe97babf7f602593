// json-rpc-2.0, with the text of its messages sent as its README does over a WebSocket.
import { JSONRPCClient, JSONRPCServer } from 'json-rpc-2.0'
import type { Peer } from './peer.js'

export const peer: Peer = {
  serve: (port, handlers) => {
    const server = new JSONRPCServer()
    for (const [command, handler] of Object.entries(handlers)) server.addMethod(command, handler as never)
    port.on('message', (text: string) => {
      void server.receiveJSON(text).then(response => response && port.postMessage(JSON.stringify(response)))
    })
  },
  connect: port => {
    const client = new JSONRPCClient(async request => port.postMessage(JSON.stringify(request)))
    port.on('message', (text: string) => client.receive(JSON.parse(text)))
    return async (command, args) => client.request(command, args as object)
  },
}
