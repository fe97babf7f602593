// The loop of a codec alone: messages written and read again in one thread, as the bus does it, with nothing sent.
import type { CodecName, Message } from '@sallyport/protocol'
import type { Measure } from './serve.js'

/** `clone` is V8's structured clone, which a MessagePort uses; a module has a codec of the user. */
export type MeasuredCodec = CodecName | 'clone' | { module: string }

/** A codec in a file of the user. */
export interface OwnCodec {
  /** Lower-case letters, digits and dashes. */
  name: string
  /** Writes one message: a request with its arguments. */
  encode(message: unknown): Uint8Array
  /** Reads a message. The result must equal, as JSON, what was written. */
  decode(bytes: Uint8Array): unknown
}

/**
 * @param module a URL
 * @throws Error if its default export is not a codec
 */
export async function loadCodec(module: string): Promise<OwnCodec> {
  const { default: codec } = (await import(module)) as { default?: Partial<OwnCodec> }
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function') {
    throw new Error('The default export must be { name, encode, decode }')
  }
  if (typeof codec.name !== 'string' || !/^[a-z0-9][a-z0-9-]*$/.test(codec.name)) {
    throw new Error(`The name must be lower-case letters, digits and dashes, not ${JSON.stringify(codec.name)}`)
  }
  return codec as OwnCodec
}

type RoundTrip = (messages: readonly Message[]) => unknown

async function createRoundTrip(name: MeasuredCodec): Promise<RoundTrip> {
  if (typeof name === 'object') {
    const { encode, decode } = await loadCodec(name.module)
    return messages => decode(encode(messages.length === 1 ? messages[0] : messages))
  }
  if (name === 'clone') {
    const { deserialize, serialize } = await import('node:v8')
    return messages => deserialize(serialize(messages.length === 1 ? messages[0] : messages))
  }
  const { codecs, readFrame, writeFrame } = await import('@sallyport/protocol')
  const codec = codecs[name]
  return messages => {
    const body = codec.join(messages.map(message => codec.encode(message)))
    const frame = readFrame(new Uint8Array(writeFrame({ kind: codec.kind, body })))
    return frame && codec.decode(frame.body)
  }
}

export async function createCodecLoop(codec: MeasuredCodec): Promise<Measure> {
  const roundTrip = await createRoundTrip(codec)
  return ({ ms, inFlight = 1 }, calls) => {
    const messages = Array.from({ length: inFlight }, (_, id): Message => {
      const { command, args } = calls[id % calls.length]!
      return { jsonrpc: '2.0', id, method: command, params: args }
    })
    const before = JSON.stringify(inFlight === 1 ? messages[0] : messages)
    if (JSON.stringify(roundTrip(messages)) !== before) throw new Error('The codec read something else than it wrote')
    let count = 0
    const start = performance.now()
    const end = start + ms
    do {
      roundTrip(messages)
      count += inFlight
    } while (performance.now() < end)
    return { each: ((performance.now() - start) / count) * 1e3 }
  }
}
