// JSON and MessagePack. What the other packages use of them.
export { checkResultBytes, measureValue } from './codec/check-result-bytes.js'
export {
  type Codec,
  type CodecName,
  type EncodedMessage,
  type EncodedValue,
  type Framing,
  getSize,
  type PackedMessage,
  WithBytes,
} from './codec/codec.js'
export { BatchReader, codecs } from './codec/codecs.js'
export { scanJson } from './codec/json-checks.js'
export { encodeInline } from '#msgpack'
export { refuseNestedChannel } from './codec/nested-channel.js'
export { createCheck } from './codec/stringify-json.js'
