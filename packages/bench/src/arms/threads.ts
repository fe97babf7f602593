// Starts the worker threads of the benchmark, and the arms that consist only of them.
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import type { Reply, Request } from '../loops/serve.js'
import type { Arm, Arms, Measurement, OpenArm, Task } from '../model/scenario.js'
import type { Payload } from '../payloads/payloads.js'
import type { PeerId } from '../peers/peers.js'
import { readVersion } from '../run/machine.js'
import { workerUrl } from '../shared/worker-url.js'

type Roles = Omit<typeof import('../workers/threads.js'), never>
/** @param role a function of `workers/threads.ts` that the thread runs */
const startThread = <Role extends keyof Roles>(
  role: Role,
  args: Parameters<Roles[Role]>,
  ports: MessagePort[] = [],
): Worker => new Worker(workerUrl('threads'), { workerData: { role, args }, transferList: ports })

/** Deadline after the time of a task: for checks, large documents and busy machines. */
const GRACE_MS = 30_000

/** Requests to a measuring thread and their answers. */
export interface Conversation {
  measure(task: Task, payload: Payload): Promise<Measurement>
  receive(reply: Reply): void
  /** Rejects all pending and future requests. */
  fail(error: Error): void
}

/** A request ends with its answer, a failure of the thread, or its deadline. */
export function createConversation(send: (request: Request) => unknown, graceMs: number = GRACE_MS): Conversation {
  const pending = new Map<number, (reply: Reply) => void>()
  const sent = new Set<Payload>()
  let requests = 0
  let failure: Error | undefined

  const receive = (reply: Reply): void => pending.get(reply.id)?.(reply)
  return {
    measure: (task, payload) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        const id = ++requests
        const allowedMs = task.ms + graceMs
        const timer = setTimeout(() => receive({ id, error: `No answer within ${allowedMs} ms` }), allowedMs)
        pending.set(id, ({ figures, error = 'Received an answer without figures' }) => {
          pending.delete(id)
          clearTimeout(timer)
          if (figures) resolve(figures)
          else reject(new Error(error))
        })
        const request = { id, task, payloadId: payload.id }
        Promise.resolve(send(sent.has(payload) ? request : { ...request, payload })).catch((error: unknown) =>
          receive({ id, error: error instanceof Error ? error.message : String(error) }),
        )
        sent.add(payload)
      }),
    receive,
    fail: error => {
      failure ??= error
      for (const id of pending.keys()) receive({ id, error: error.message })
    },
  }
}

/** The loops of the arm run in the thread `measuring`. */
function threadArm(measuring: Worker, ...others: Worker[]): OpenArm {
  const threads = [measuring, ...others]
  const { measure, receive, fail } = createConversation(request => measuring.postMessage(request))
  measuring.on('message', receive)
  for (const thread of threads) {
    thread.on('error', fail)
    thread.on('exit', () => fail(new Error("One of the arm's threads exited")))
  }
  return { measure, close: async () => void (await Promise.all(threads.map(thread => thread.terminate()))) }
}

/** The reference of most figures: a bare MessagePort between two workers. */
export const rawPort: Arm = {
  id: 'raw',
  title: 'raw MessagePort',
  open: async () => {
    const { port1, port2 } = new MessageChannel()
    const answering = startThread('answerRaw', [port2], [port2])
    return threadArm(startThread('measureRaw', [port1], [port1]), answering)
  },
}

const oneThreadArm = (id: string, title: string, ...thread: Parameters<typeof startThread>): Arm => ({
  id,
  title,
  open: async () => threadArm(startThread(...thread)),
})

/** Client and core in one thread: the code of the bus, without the costs of threads. */
export const oneThreadArms: Arms = [
  oneThreadArm('json', 'JSON', 'measureOneThread', ['json']),
  oneThreadArm('msgpack', 'msgpack', 'measureOneThread', ['msgpack']),
]

function peerArm(id: PeerId, title = `${id} ${readVersion(id)}`): Arm {
  const open = async (): Promise<OpenArm> => {
    const { port1, port2 } = new MessageChannel()
    const answering = startThread('answerPeer', [id, port2], [port2])
    return threadArm(startThread('measurePeer', [id, port1], [port1]), answering)
  }
  return { id, title, open }
}

/** Reads the versions of the peers when it is called. */
export const peerArms = (): Arm[] => [textArm(), birpcArm(), peerArm('comlink')]

/** JSON-RPC messages over a port, encoded by the program. */
export const textArm = (): Arm => peerArm('text', 'JSON-RPC text')
export const birpcArm = (): Arm => peerArm('birpc')
export const msgpackrArm = (): Arm => peerArm('msgpackr')
