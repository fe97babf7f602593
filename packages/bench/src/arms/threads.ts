// Starts the worker threads of the benchmark, and the arms that consist only of them.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { Request, ThreadRole } from '../loops/calls.js'
import { connectRaw, overPort, type PeerId } from '../loops/peers.js'
import type { Payload } from '../model/payloads.js'
import type { Arm, Arms, Measurement, OpenArm } from '../model/scenario.js'
import { readPackageInfo, workerUrl } from '../run/machine.js'

/** @param role a function of `workers/threads.ts` that the thread runs */
const startThread = (role: ThreadRole, args: unknown[], ports: MessagePort[] = []): Worker =>
  new Worker(workerUrl('threads'), { workerData: { role, args }, transferList: ports })

/** Measures by requests. A payload is sent once, in its form. @param failed - rejects when there will be no answer */
export function createMeasuring(
  send: (request: Request) => Promise<unknown>,
  failed: Promise<never>,
  toForm = (payload: Payload): Payload => payload,
): OpenArm['measure'] {
  const sent = new Set<Payload>()
  return (task, payload) => {
    const answer = send({ task, payloadId: payload.id, ...(!sent.has(payload) && { payload: toForm(payload) }) })
    sent.add(payload)
    return Promise.race([answer as Promise<Measurement>, failed])
  }
}

/** The loops of the arm run in the thread `measuring`. */
function threadArm(measuring: Worker, ...others: Worker[]): OpenArm {
  const threads = [measuring, ...others]
  const failed = new Promise<never>((_, reject) => {
    for (const thread of threads) {
      thread.on('error', reject)
      thread.on('exit', () => reject(new Error("One of the arm's threads exited")))
    }
  })
  failed.catch(() => {})
  const call = connectRaw(overPort(measuring))
  const close = async (): Promise<void> => void (await Promise.all(threads.map(thread => thread.terminate())))
  return { measure: createMeasuring(request => call('measure', request), failed), close }
}

/** Two threads and a channel between them. */
const pairArm = (id: PeerId, title = `${id} ${readPackageInfo(id).version}`): Arm => ({
  id,
  title,
  open: async () => {
    const { port1, port2 } = new MessageChannel()
    const other = startThread('answer', [port2, id], [port2])
    return threadArm(startThread('measure', [port1, id], [port1]), other)
  },
})

/** The reference of most figures: a bare MessagePort between two workers. */
export const rawPort: Arm = pairArm('raw', 'raw MessagePort')

/** Client and core in one thread: the code of the bus, without the costs of threads. */
const oneThreadArm = (codec: 'json' | 'msgpack', title: string): Arm => ({
  id: codec,
  title,
  open: async () => threadArm(startThread('measureOneThread', [codec])),
})

export const oneThreadArms: Arms = [oneThreadArm('json', "codec: 'json'"), oneThreadArm('msgpack', "codec: 'msgpack'")]

export const peerArms = (): Arm[] => [pairArm('birpc'), pairArm('comlink')]
