// Documents of one exact size, made of small parts and text for the rest. They are made in the thread that sends them.
import type { Call, Payload, Sized } from './payload.js'

const lengthOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** Its JSON has so many bytes, and no object is in it twice: a structured clone would write it once. Of 0 bytes it has nothing. */
export function documentOf(parts: readonly object[], size: number): object {
  if (size === 0) return {}
  const texts = parts.map(part => JSON.stringify(part))
  const lengths = texts.map(text => Buffer.byteLength(text))
  const taken: string[] = []
  let left = size - lengthOf({ parts: [], rest: '' })
  if (left < 0) throw new Error(`no document has ${size} bytes`)
  for (;;) {
    const next = taken.length % parts.length
    const room = lengths[next]! + (taken.length > 0 ? 1 : 0)
    if (room > left) break
    taken.push(texts[next]!)
    left -= room
  }
  return JSON.parse(`{"parts":[${taken.join()}],"rest":"${'x'.repeat(left)}"}`) as object
}

/** What a payload asks to be sent. */
export const callsOf = ({ calls, sized }: Payload): readonly Call[] => (sized ? [callOf(sized)] : calls)

function callOf({ parts, size, bytes }: Sized): Call {
  const document = bytes && size === 0 ? undefined : documentOf(parts, size)
  return bytes
    ? { command: 'echo_bytes', args: document, expected: document, bytes }
    : { command: 'echo', args: document, expected: document }
}
