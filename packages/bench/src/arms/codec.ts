// A codec alone, in one thread: what it costs to write a message and to read it again, with nothing sent anywhere.
import type { CodecName } from '@sallyport/protocol'
import type { Arm } from '../arm.js'
import { startWorker, threadArm } from './thread.js'

/** `clone` is V8's structured clone, the one that a MessagePort uses; a module holds a codec of the user's. */
export type MeasuredCodec = CodecName | 'clone' | { module: string }

const codecArm = (id: string, title: string, codec: MeasuredCodec): Arm => ({
  id,
  title,
  open: async () => threadArm(startWorker('codec-measure', { codec })),
})

export const cloneCodec: Arm = codecArm('clone', 'structured clone', 'clone')
export const jsonCodec: Arm = codecArm('json', 'JSON-RPC', 'json')
export const msgpackCodec: Arm = codecArm('msgpack', 'msgpack', 'msgpack')

/** @param module a URL; its default export is an `OwnCodec` */
export const moduleCodec = (name: string, module: string): Arm => codecArm(name, name, { module })
