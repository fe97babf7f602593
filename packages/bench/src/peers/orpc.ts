// oRPC, over its message-port adapter: it writes requests and answers as JSON text. Its procedures have no schema here.
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import { os } from '@orpc/server'
import { RPCHandler } from '@orpc/server/message-port'
import type { Peer } from './peer.js'

type Remote = Record<string, (args: unknown) => Promise<unknown>>

export const peer: Peer = {
  serve: (port, handlers) => {
    const procedures = Object.entries(handlers).map(([command, handler]) => [
      command,
      os.handler(({ input }) => handler(input as never)),
    ])
    new RPCHandler(Object.fromEntries(procedures)).upgrade(port)
    port.start()
  },
  connect: port => {
    const client = createORPCClient<never>(new RPCLink({ port })) as Remote
    port.start()
    return (command, args) => client[command]!(args)
  },
}
