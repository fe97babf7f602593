// JSON and MessagePack. What the other packages use of them.
export { carriesBytes } from './codec/attachments.js'
export { checkResultBytes, measureValue } from './codec/check-result-bytes.js'
export type { Codec, CodecName, EncodedMessage } from './codec/codec.js'
export { BatchReader, codecs } from './codec/codecs.js'
export { scanJson } from './codec/json-checks.js'
export { toJsonValue } from './codec/json-values.js'
export { refuseNestedChannel } from './codec/nested-channel.js'
export { createCheck } from './codec/stringify-json.js'
