// What an instance remembers of each sender of broadcasts, so that no message is taken twice: bounded, and what was forgotten is
// not taken again either.
import type { KeyObject } from 'node:crypto'
import type { BroadcastHeader } from './broadcast.js'

/** Starts of instances that are remembered at a time. */
export const MAX_SENDERS = 1024

export interface Sender {
  readonly keyOf: (sequence: number) => KeyObject
  /** Of the last message that was taken. */
  sequence: number
  time: number
}

export interface Senders {
  /** The sender of a message that may be taken, if it proves to be authentic. */
  find(header: BroadcastHeader): Sender | undefined
  /** It was authentic. */
  took(header: BroadcastHeader, sender: Sender): void
}

/** @param start of this instance: what was sent before is not for it, and may have been taken before it started again */
export function createSenders(keysOf: (sender: Uint8Array) => Sender['keyOf'], start: number): Senders {
  /** By id, the one that was unheard for longest first. */
  const senders = new Map<string, Sender>()
  /** The time of the last message that was forgotten, or of those before the start. */
  let floor = start - 1
  const idOf = ({ sender }: BroadcastHeader): string => Buffer.from(sender).toString('base64')

  return {
    find(header) {
      const known = senders.get(idOf(header))
      if (known) return header.sequence > known.sequence ? known : undefined
      if (header.time <= floor) return undefined
      return { keyOf: keysOf(header.sender), sequence: -1, time: 0 }
    },
    took(header, sender) {
      const id = idOf(header)
      senders.delete(id)
      sender.sequence = header.sequence
      sender.time = header.time
      senders.set(id, sender)
      if (senders.size <= MAX_SENDERS) return
      const [oldest] = senders
      if (!oldest) return
      floor = Math.max(floor, oldest[1].time)
      senders.delete(oldest[0])
    },
  }
}
