// Transports between threads and processes. What the other packages use of them.
export { bridge } from './link/bridge.js'
export { acceptDirect, canListenBelow, connectDirect, type DirectSocket } from './link/direct-socket.js'
export {
  type LinkEndpoint,
  type LinkKind,
  type PollMode,
  type TransferListItem,
  type TriangleEndpoints,
  closeEndpoint,
  createDirectEndpoints,
  createDirectTriangle,
  createLinkEndpoints,
  createTriangleEndpoints,
  getPorts,
  openLink,
} from './link/endpoints.js'
export { toStream } from './link/link-stream.js'
export { LocalLink } from './link/local-link.js'
export { closeOnceRead, SocketLink } from './link/socket-link.js'
export { SplitLink } from './link/split-link.js'
export { STREAM_HEADER_BYTES, StreamFrames, writeStreamHeader } from './link/stream-frames.js'
export { StreamLink } from './link/stream-link.js'
export { StreamMultiplexer } from './link/stream-multiplexer.js'
