// The loop of a codec alone: writes and reads messages in one thread, as the bus does.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { Message } from '@sallyport/protocol/internal/message'
import type { Measure } from './serve.js'

/** `clone` is V8's structured clone, which a MessagePort uses. `msgpackr` is that library alone. */
export type MeasuredCodec = CodecName | 'clone' | 'msgpackr'

const withoutArray = (messages: readonly Message[]): unknown => (messages.length === 1 ? messages[0] : messages)

async function createRoundTrip(name: MeasuredCodec): Promise<(messages: readonly Message[]) => unknown> {
  if (name === 'clone') {
    const { deserialize, serialize } = await import('node:v8')
    return messages => deserialize(serialize(withoutArray(messages)))
  }
  if (name === 'msgpackr') {
    const { Packr } = await import('msgpackr')
    // Records are an extension that other libraries of MessagePack do not read.
    const packr = new Packr({ useRecords: false })
    return messages => packr.unpack(packr.pack(withoutArray(messages))) as unknown
  }
  const { codecs } = await import('@sallyport/protocol/internal/codec')
  const { readFrame, writeFrame } = await import('@sallyport/protocol/internal/wire')
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
