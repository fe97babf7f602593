// Frames, credit, limits, and the interface of a link.
export * from './wire/flow.js'
export * from './wire/limits.js'
export * from './wire/link.js'
export { FRAME_KIND, type FrameKind, isFrameKind } from './wire/messages.js'
