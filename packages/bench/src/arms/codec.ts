// A codec alone, in one thread: what it costs to write a message and to read it again, with nothing sent anywhere.
import type { CodecName } from '@sallyport/protocol'
import type { Arm } from '../arm.js'
import { startWorker, threadArm } from './thread.js'

/** `clone` is V8's structured clone, the one that a MessagePort uses. */
export type MeasuredCodec = CodecName | 'clone'

const codecArm = (codec: MeasuredCodec, title: string): Arm => ({
  id: codec,
  title,
  open: async () => threadArm(startWorker('codec-measure', { codec })),
})

export const cloneCodec: Arm = codecArm('clone', 'structured clone')
export const jsonCodec: Arm = codecArm('json', 'JSON-RPC')
export const msgpackCodec: Arm = codecArm('msgpack', 'msgpack')
