// The least number of bytes that a value had on the wire: a peer that answers for its sizes is held to them by this measure.
import { isBytes } from '../util/type-guards.js'

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
