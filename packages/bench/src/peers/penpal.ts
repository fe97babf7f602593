// penpal, over its PortMessenger: both sides shake hands before the first call.
import { connect, PortMessenger } from 'penpal'
import { asDom, type Peer } from './peer.js'

type Remote = Record<string, (args: unknown) => Promise<unknown>>

export const peer: Peer = {
  serve: (port, handlers) =>
    void connect({ messenger: new PortMessenger({ port: asDom(port) }), methods: { ...handlers } }),
  connect: async port => {
    const remote = (await connect({ messenger: new PortMessenger({ port: asDom(port) }) }).promise) as unknown as Remote
    return (command, args) => remote[command]!(args)
  },
}
