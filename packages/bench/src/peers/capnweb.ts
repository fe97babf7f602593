// capnweb, over a MessageChannel as its README has it: the functions are the methods of its RpcTarget.
import { newMessagePortRpcSession, RpcTarget } from 'capnweb'
import { asDom, type Handlers, type Peer } from './peer.js'

type Remote = Record<string, (args: unknown) => Promise<unknown>>

/** What is called has to be a method of the class: its own properties are not shown to the other side. */
function targetOf(handlers: Handlers): RpcTarget {
  class Target extends RpcTarget {}
  Object.assign(Target.prototype, handlers)
  return new Target()
}

export const peer: Peer = {
  serve: (port, handlers) => void newMessagePortRpcSession(asDom(port), targetOf(handlers)),
  connect: port => {
    const stub = newMessagePortRpcSession(asDom(port)) as unknown as Remote
    return (command, args) => stub[command]!(args)
  },
}
