// Limits of messages and queues, which a peer can reach. They are generous for programs and tight for attackers;
// `docs/reference/limits.md` lists them with those of single features.

const MiB = 1024 * 1024

/** Maximum bytes of JSON or MessagePack in one frame. */
export const MAX_FRAME_BYTES: number = 16 * MiB
/** Bytes of at least this size travel as an attachment, and no attachment is smaller. */
export const MIN_ATTACHMENT_BYTES: number = 64 * 1024
/** Maximum bytes of all attachments of one frame. They are raw bytes, which are never parsed. */
export const MAX_ATTACHED_BYTES: number = 256 * MiB
/** Maximum bytes of a frame's body: the largest attachment, and a record's header and tag around it. */
export const MAX_BODY_BYTES: number = MAX_ATTACHED_BYTES + 4096
/** Maximum number of messages in one frame. A sender begins a new frame long before that. */
export const MAX_BATCH: number = 65_536
/** Maximum nesting of arrays and objects in a message. */
export const MAX_DEPTH = 64
/** Maximum number of values in one frame: bytes alone do not bound what a frame costs to parse. */
export const MAX_NODES = 1_000_000
/** JSON frames up to this size are parsed without a scan: so few bytes cannot hold much depth or many values. */
export const SCAN_ABOVE_BYTES: number = 64 * 1024
/** Maximum number of calls of one frontend in flight. */
export const MAX_IN_FLIGHT = 16_384
/** Maximum number of open channels of one frontend. */
export const MAX_CHANNELS = 16_384
/** Maximum number of resources that handlers keep open for one frontend. */
export const MAX_RESOURCES = 16_384
/** Maximum number of listeners of one frontend. */
export const MAX_LISTENERS = 65_536
/** Maximum characters of all paths of one path command together: core splits them without a pause. */
export const MAX_PATH_LENGTH: number = 32 * 1024
/** Maximum number of paths of one path command. */
export const MAX_PATHS = 1000
/** Bytes in flight after which a sender waits. The last message can exceed them: other limits bound its size. */
export const CREDIT_WINDOW_BYTES: number = 8 * MiB
/** A receiver reports its total after each of this many bytes. The first valid total is not smaller. */
export const CREDIT_STEP_BYTES: number = CREDIT_WINDOW_BYTES / 4
/** Cost of a buffer in addition to its bytes, so that many small ones do not evade the window. */
export const BUFFER_COST = 256
/** Maximum number of calls and events that wait in a client. */
export const MAX_CLIENT_QUEUE = 65_536
/** Maximum bytes of calls and events that wait in a client. A single larger one is accepted. */
export const MAX_CLIENT_QUEUE_BYTES: number = 64 * MiB
/** Maximum number of events that wait in core for one frontend. Older ones are dropped. */
export const MAX_EVENT_QUEUE = 65_536
/** Maximum bytes of events that wait in core for one frontend. Older ones are dropped. */
export const MAX_EVENT_QUEUE_BYTES: number = 32 * MiB
/** Maximum number of responses, channel messages and calls that wait in core for one frontend. */
export const MAX_SESSION_QUEUE = 65_536
/** Maximum bytes of responses, channel messages and calls that wait in core for one frontend, except for the last. */
export const MAX_SESSION_QUEUE_BYTES: number = 64 * MiB
