// `#msgpack` for browsers: a page has JSON alone.
const none = undefined as never
export { none as encodeInline, none as msgpackCodec }
