// Holds the senders of one connection, which are not trusted, to their credit: what they send beyond it would wait in this thread unread.
import { BusError } from '../errors/bus-error.js'
import { isBytes } from '../util/type-guards.js'
import { CHANNEL_MESSAGE_COST, MAX_STREAM_UNREAD, STREAM_WINDOW } from '../wire/limits.js'

type Unread = readonly (readonly unknown[] | number)[]

/** More than an honest sender has unread, with a request for credit after each message. */
const MAX_ENTRIES = MAX_STREAM_UNREAD / CHANNEL_MESSAGE_COST

/** @returns the function that is called with the unread messages of one stream after each message: see `StreamPeer.check` */
export function createGuard(
  getReceivedBytes: () => number,
  violated: (error: BusError) => void,
): (unread: Unread, isGranted: boolean) => boolean {
  const sizes = new WeakMap<readonly unknown[], number>()
  /** The bytes that have to arrive before the messages are measured again. */
  let measureAt = getReceivedBytes() + MAX_STREAM_UNREAD
  const measure = (batch: readonly unknown[]): number => {
    const size = sizes.get(batch) ?? getLeastSize(batch, MAX_STREAM_UNREAD)
    sizes.set(batch, size)
    return size
  }
  return (unread, isGranted) => {
    let isOver = unread.length > (isGranted ? MAX_ENTRIES : 0)
    const receivedBytes = getReceivedBytes()
    if (!isOver && receivedBytes >= measureAt) {
      const batches = unread.filter(entry => typeof entry !== 'number')
      // The window can be exceeded by the last message, and that by what a hook has added.
      const [, , ...others] = batches.map(measure).sort((a, b) => b - a)
      const size = others.reduce((sum, bytes) => sum + bytes, 0)
      measureAt = receivedBytes + MAX_STREAM_UNREAD - size
      isOver = size >= MAX_STREAM_UNREAD
    }
    if (!isOver) return true
    const text = `The peer violated the protocol: more than ${STREAM_WINDOW} bytes of a stream are unread`
    violated(new BusError('InvalidRequest', text))
    return false
  }
}

/** Returns a lower bound of the encoded size of a decoded value, in any codec. Stops counting at `enough`. */
export function getLeastSize(value: unknown, enough: number): number {
  let size = 0
  const nodes = [value]
  while (nodes.length > 0 && size < enough) {
    const node = nodes.pop()
    if (typeof node === 'string') size += node.length
    else if (isBytes(node)) size += node.byteLength
    else if (Array.isArray(node)) for (const member of node as unknown[]) nodes.push(member)
    else if (typeof node === 'object' && node !== null) {
      for (const [name, member] of Object.entries(node)) {
        size += name.length
        nodes.push(member)
      }
    }
    // Every node takes a byte.
    size++
  }
  return size
}
