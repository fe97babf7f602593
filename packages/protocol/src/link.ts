// Transports between threads and processes. What the other packages use of them.
export { bridge } from './link/bridge.js'
export {
  type LinkEndpoint,
  type LinkKind,
  type PollMode,
  type TransferListItem,
  type TriangleEndpoints,
  closeEndpoint,
  createLinkEndpoints,
  createTriangleEndpoints,
  getPorts,
  openLink,
} from './link/endpoints.js'
export { LocalLink } from './link/local-link.js'
export { STREAM_HEADER_BYTES, StreamFrames, writeStreamHeader } from './link/stream-frames.js'
export { StreamLink } from './link/stream-link.js'
