// The clear part of a broadcast, all of it additional data: who sealed it, when, and after how many others.
import { Fields, short, u64, u8 } from '../handshake/fields.js'
import { isName } from '../names.js'

const VERSION = 1
export const SENDER_BYTES = 16

export interface BroadcastHeader {
  /** Random, for each start of an instance. */
  readonly sender: Uint8Array
  /** From 0. */
  readonly sequence: number
  /** Of sealing, in milliseconds since the Unix epoch. */
  readonly time: number
  readonly instance: string
}

export const writeHeader = ({ sender, sequence, time, instance }: BroadcastHeader): Uint8Array =>
  Buffer.concat([u8(VERSION), sender, u64(sequence), u64(time), short(instance)])

/** And where it ends. Undefined for another version, and for a name that is none. @throws RangeError where it is cut short */
export function readHeader(message: Uint8Array): (BroadcastHeader & { end: number }) | undefined {
  const fields = new Fields(message)
  if (fields.u8() !== VERSION) return undefined
  const [sender, sequence, time, instance] = [fields.take(SENDER_BYTES), fields.u64(), fields.u64(), fields.short()]
  return isName(instance) ? { sender, sequence, time, instance, end: message.byteLength - fields.left } : undefined
}
