// Calls within one thread: the bus's own code, from the client to the handler and back, and a bare port beside it. No other
// thread's moment, core or sleep is in it, so that two versions of that code can be told apart.
import type { CodecName } from '@sallyport/protocol'
import type { Arm } from '../arm.js'
import { startWorker, threadArm } from './thread.js'

/** `raw` is the bare port. */
export type OneThreadKind = CodecName | 'raw'

const oneThread = (id: string, title: string, kind: OneThreadKind, carried: Pick<Arm, 'carries' | 'checks'>): Arm => ({
  id,
  title,
  ...carried,
  open: async () => threadArm(startWorker('one-thread', { kind })),
})

export const oneThreadRaw: Arm = oneThread('raw', 'raw MessagePort', 'raw', { carries: 'structured clone' })
export const oneThreadJson: Arm = oneThread('json', 'JSON', 'json', { carries: 'JSON-RPC text', checks: ['authority'] })
export const oneThreadMsgpack: Arm = oneThread('msgpack', 'msgpack', 'msgpack', {
  carries: 'JSON-RPC in msgpack',
  checks: ['authority'],
})
