// Every limit of the wire in one place. All are generous for programs and tight for attackers; `docs/wire.md` states them.

const MiB = 2 ** 20

/** Bytes of JSON or msgpack in one frame. */
export const MAX_FRAME_BYTES: number = 16 * MiB
/** Bytes from here on go beside their message, as an attachment, and no attachment is smaller. */
export const MIN_ATTACHMENT_BYTES: number = 64 * 1024
/** Attachments of one frame, together: raw bytes, which are never parsed. */
export const MAX_ATTACHED_BYTES: number = 256 * MiB
/** Messages in one frame. A sender begins a new frame long before that. */
export const MAX_BATCH: number = 65_536
/** Nesting of arrays and objects in a message. */
export const MAX_DEPTH = 64
/** Values in one frame: what a frame costs to parse is bounded by its nodes, not by its bytes alone. */
export const MAX_NODES = 1_000_000
/** JSON frames up to this size are parsed without being scanned first: so few bytes can't nest or spread far. */
export const SCAN_ABOVE_BYTES: number = 64 * 1024
/** Requests of one frontend that may be in flight at a time. */
export const MAX_IN_FLIGHT = 16_384
/** Channels of one frontend that may be open at a time. */
export const MAX_CHANNELS = 16_384
/** Resources of one frontend that handlers keep open for it. */
export const MAX_RESOURCES = 16_384
/** Listeners of one frontend. */
export const MAX_LISTENERS = 65_536
/** Bytes that may be on their way. What goes out next may be as large as it likes: frames are bounded elsewhere. */
export const CREDIT_WINDOW_BYTES: number = 8 * MiB
/** How many bytes are taken before the next total is told: no total is smaller. */
export const CREDIT_STEP_BYTES: number = CREDIT_WINDOW_BYTES / 4
/** What a buffer costs beyond its bytes, so that many small ones are no way around the window. */
export const BUFFER_COST = 256
/** Calls and events that wait in a client until there is room for them; */
export const MAX_CLIENT_QUEUE = 65_536
/** and their bytes, unless it is one alone. */
export const MAX_CLIENT_QUEUE_BYTES: number = 64 * MiB
/** Events that wait in core for a frontend that takes nothing: beyond these the oldest go, */
export const MAX_EVENT_QUEUE = 65_536
/** and beyond these bytes. */
export const MAX_EVENT_QUEUE_BYTES: number = 32 * MiB
/** Answers, messages of channels and calls that wait in core for one frontend. */
export const MAX_SESSION_QUEUE = 65_536
/** Their bytes, but for what comes last. */
export const MAX_SESSION_QUEUE_BYTES: number = 64 * MiB
