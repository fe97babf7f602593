// JSON and MessagePack.
export * from './codec/codec.js'
export * from './codec/codecs.js'
export * from './codec/json.js'
export * from './codec/json-checks.js'
export { encodeInline } from '#msgpack'
