// birpc, over a MessageChannel as its README has it: structured clone, no codec of its own.
import { createBirpc } from 'birpc'
import type { MessagePort } from 'node:worker_threads'
import type { Peer } from './peer.js'

type Functions = Record<string, (args: unknown) => unknown>

const over = (port: MessagePort): { post(data: unknown): void; on(receive: (data: unknown) => void): void } => ({
  post: data => port.postMessage(data),
  on: receive => void port.on('message', receive),
})

export const peer: Peer = {
  serve: (port, handlers) => void createBirpc({ ...handlers } as Functions, over(port)),
  connect: port => {
    const rpc = createBirpc<Functions>({}, over(port))
    return (command, args) => rpc.$call(command, args)
  },
}
