// The arms of the peers. They share two worker threads, one that measures and one that answers: threads of their own gave equal
// arms a spread of 5 %, shared ones 0.6 %. The threads start with the first arm that is opened, and end with the last.
import { MessageChannel } from 'node:worker_threads'
import type { Arm, Arms, OpenArm } from '../model/scenario.js'
import { PEERS, type PeerEntry } from '../peers/peers.js'
import { readVersion } from '../run/machine.js'
import type { PeerPort, PeerReply, PeerRequest } from '../workers/threads.js'
import * as bus from './bus.js'
import { createConversation, startThread, type Conversation } from './threads.js'

interface SharedThreads {
  connect(peer: string): Conversation
  end(): Promise<unknown>
}

let shared: SharedThreads | undefined
let users = 0

export async function openPeer(peer: string): Promise<OpenArm> {
  const threads = (shared ??= startThreads())
  users++
  return {
    measure: threads.connect(peer).measure,
    close: async () => {
      if (--users > 0) return
      shared = undefined
      await threads.end()
    },
  }
}

function startThreads(): SharedThreads {
  const measuring = startThread('measurePeers', [])
  const answering = startThread('answerPeers', [])
  const conversations = new Map<string, Conversation>()
  const failAll = (error: Error): void => {
    for (const conversation of conversations.values()) conversation.fail(error)
  }
  for (const thread of [measuring, answering]) {
    thread.on('message', ({ peer, reply, failure }: PeerReply) => {
      if (reply) conversations.get(peer)?.receive(reply)
      else conversations.get(peer)?.fail(new Error(failure))
    })
    thread.on('error', failAll)
    thread.on('exit', () => failAll(new Error('One of the threads of all peers exited')))
  }
  return {
    connect: peer => {
      const { port1, port2 } = new MessageChannel()
      answering.postMessage({ peer, port: port2 } satisfies PeerPort, [port2])
      measuring.postMessage({ peer, port: port1 } satisfies PeerPort, [port1])
      const send = (request: PeerRequest['request']): void =>
        measuring.postMessage({ peer, request } satisfies PeerRequest)
      const conversation = createConversation(send)
      conversations.set(peer, conversation)
      return conversation
    },
    end: () => Promise.all([measuring.terminate(), answering.terminate()]),
  }
}

function peerArm({ id, carries, from = id, title, setting }: PeerEntry): Arm {
  const version = from === null ? '' : ` ${readVersion(from)}`
  const words = `${title ?? from ?? id}${version}`
  return {
    id,
    title: setting === undefined ? words : `${words}, ${setting}`,
    carries,
    checks: [],
    open: () => openPeer(id),
  }
}

/** The reference, and the others. Reads the versions of the peers when it is called. */
export function peerArms(): Arms {
  const [raw, ...others] = PEERS.map(peerArm)
  return [raw!, ...others]
}

/** All that answers a call: the bare MessagePort, the peers, and the bus over each of its links. */
export const callArms = (): Arms => [
  ...peerArms(),
  bus.portJson,
  bus.ringJson,
  bus.ringMsgpack,
  bus.isolationPortJson,
  bus.isolationRingJson,
  bus.isolationRingMsgpack,
]
