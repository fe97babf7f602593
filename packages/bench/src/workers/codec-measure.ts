// Measures a codec as the bus uses it: messages to one frame, the frame to messages. The reference does the same with V8's
// structured clone.
import { deserialize, serialize } from 'node:v8'
import { workerData } from 'node:worker_threads'
import { codecs, readFrame, writeFrame, type CodecName, type Message } from '@sallyport/protocol'
import type { MeasuredCodec } from '../arms/codec.js'
import { serveParent } from './serve-parent.js'
import { codecIn } from './own-codec.js'
import type { Measure } from './serve.js'

type RoundTrip = (messages: readonly Message[]) => unknown

const throughClone: RoundTrip = messages => deserialize(serialize(messages.length === 1 ? messages[0] : messages))

const throughModule = async (module: string): Promise<RoundTrip> => {
  const { encode, decode } = await codecIn(module)
  return messages => decode(encode(messages.length === 1 ? messages[0] : messages))
}

const throughCodec = (name: CodecName): RoundTrip => {
  const codec = codecs[name]
  return messages => {
    const body = codec.join(messages.map(message => codec.encode(message)))
    const frame = readFrame(new Uint8Array(writeFrame({ kind: codec.kind, body })))
    return frame && codec.decode(frame.body)
  }
}

const measureWith =
  (thereAndBack: RoundTrip): Measure =>
  ({ ms, inFlight = 1 }, calls) => {
    const messages = Array.from({ length: inFlight }, (_, id): Message => {
      const { command, args } = calls[id % calls.length]!
      return { jsonrpc: '2.0', id, method: command, params: args }
    })
    const before = JSON.stringify(inFlight === 1 ? messages[0] : messages)
    if (JSON.stringify(thereAndBack(messages)) !== before) throw new Error('what was read is not what was written')
    let count = 0
    const start = performance.now()
    const end = start + ms
    do {
      thereAndBack(messages)
      count += inFlight
    } while (performance.now() < end)
    return { each: ((performance.now() - start) / count) * 1e3 }
  }

const { codec } = workerData as { codec: MeasuredCodec }

const roundTrip =
  codec === 'clone' ? throughClone : typeof codec === 'string' ? throughCodec(codec) : await throughModule(codec.module)

serveParent(measureWith(roundTrip))
