// Limits of messages and queues, which a peer can reach: all of them in one place. docs/reference/limits.md has those that users notice.
// They are generous for programs and tight for attackers.

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
/** Maximum number of open channels and streamed arguments of one frontend. */
export const MAX_CHANNELS = 16_384
/** Maximum number of resources that handlers keep open for one frontend. */
export const MAX_RESOURCES = 16_384
/** Maximum number of listeners of one frontend. */
export const MAX_LISTENERS = 4096
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
/** Default of the bytes of a channel's messages in flight, after which `send` waits. The last message can exceed it. */
export const CHANNEL_READ_AHEAD: number = 4 * MiB
/** Cost of a channel's message in addition to its bytes: with the default, about 4000 small ones are in flight. */
export const CHANNEL_MESSAGE_COST = 1024
/** Bytes of the values of a frontend's stream, or of one among the arguments of its functions, that are in flight; the last one can exceed it. */
export const STREAM_WINDOW: number = MiB
/**
 * Bytes of the unread values of one stream, the two largest aside, from which on its sender violates the protocol. More than
 * `STREAM_WINDOW`, because a hook can have added to the values.
 */
export const MAX_STREAM_UNREAD: number = 4 * STREAM_WINDOW
/** Bytes of a ring. Those of 64 KiB to 1 MiB are equally fast for small frames; a body of 1 MiB takes a third less time with 1 MiB than with 256 KiB. */
export const RING_BYTES: number = MiB
/** Maximum number of frames that are taken of the socket of a process within one tick. */
export const SOCKET_FRAMES_PER_PASS = 256
/** Bytes of messages in the hook of a gate, or behind it, after which the gate stops reading. */
export const MAX_GATE_QUEUE_BYTES: number = 16 * MiB
/** Maximum UTF-16 code units of a label. */
export const MAX_LABEL_LENGTH = 200
/** Maximum number of open confirm requests of one frontend. */
export const MAX_CONFIRM_REQUESTS = 16
/** Maximum number of open confirm requests of all users of an MCP service, of which each has `MAX_CONFIRM_REQUESTS`. */
export const MAX_USERS_CONFIRM_REQUESTS = 1024
/** Maximum UTF-16 code units of a confirmation text. A longer text is truncated and ends with `…`. */
export const MAX_CONFIRM_TEXT = 4096
/** Maximum UTF-16 code units of the event and the target of a frontend's listener together. */
export const MAX_LISTENER_CHARACTERS = 1000
/** Maximum UTF-16 code units of the event of a `$/emit`: the name is read, and in a gate written, again for each of the payloads. */
export const MAX_BATCHED_EVENT_LENGTH = 256
/** Maximum UTF-16 code units of one line that a frontend writes to its output. The rest is not shown. */
export const MAX_OUTPUT_LINE = 8192
/** Maximum UTF-16 code units that a thread or a script has printed and its host has not taken. The oldest are dropped and counted. */
export const MAX_WAITING_OUTPUT: number = MiB
/** The same for a process that ends, which waits for its host before. Also the maximum of one print. */
export const MAX_LAST_OUTPUT: number = 8 * MiB
/** Maximum bytes of one report of a frontend process: an error with its stack. */
export const MAX_REPORT_BYTES: number = MiB
/** Maximum UTF-16 code units of code as text and of a script, which are copied several times until they are in their sandbox. */
export const MAX_SOURCE_LENGTH: number = 16 * MiB
/** Maximum milliseconds that a script can compute without a pause. Half of the default heartbeat: the others of its script host make no beat meanwhile. */
export const MAX_SCRIPT_MS = 5000
/** Maximum bytes of the compressed snapshot of a run that is interrupted. */
export const MAX_SNAPSHOT_BYTES: number = 16 * MiB
/** Maximum bytes of memory of a script that can be interrupted. Other scripts of its thread wait while it is copied. */
export const MAX_IMAGE_BYTES: number = 64 * MiB
/** Bytes of each part of a snapshot but the last: a process sends its snapshot in parts, as reports. */
export const SNAPSHOT_PART_BYTES: number = MiB / 2

/** Minimum of the option `maxMessageBytes` for web pages: a frame of several small messages is not larger. */
export const MIN_PAGE_MESSAGE_BYTES: number = 64 * 1024
/** Default of `maxMessageBytes`: the largest message and its attachments. */
export const MAX_PAGE_MESSAGE_BYTES: number = MAX_ATTACHED_BYTES + MAX_FRAME_BYTES
/** Maximum bytes of the incomplete messages of all pages of a label, in addition to one message of `maxMessageBytes`. */
export const MAX_UNCLAIMED_BYTES: number = 32 * MiB
/** Milliseconds after which a page is disconnected if nothing more of an incomplete message has arrived. */
export const INCOMPLETE_TIMEOUT_MS = 30_000
/** Bytes of each part of a page's attachment but the last, so that few parts hold much. */
export const PART_BYTES: number = MiB
/** Maximum number of connections to a server for pages that are not WebSockets. */
export const MAX_PAGE_REQUESTS = 64
/** Maximum number of WebSockets that are open to say that their page is not admitted. */
export const MAX_PAGE_REFUSALS = 16

/** Times of 500 ms for code that was asked to stop while core takes what it has sent: hostile code never ends that. */
export const MAX_STOP_ROUNDS = 20
/** Maximum bytes of a fragment over NATS. One read of a socket has 64 KiB, and NATS's client copies a message of several reads repeatedly. */
export const MAX_FRAGMENT_BYTES: number = 32 * 1024
/** Maximum bytes of the first message of a session over NATS. */
export const MAX_HELLO_BYTES = 512
/** Maximum bytes of the message that refuses a session over NATS. */
export const MAX_REFUSAL_BYTES = 1024
/** Maximum number of hellos that an instance remembers against replays: about a thousand a second, some 10 MB. */
export const MAX_HELLOS = 65_536
/** Maximum number of sessions over NATS whose first message has not arrived. */
export const MAX_HALF_OPEN = 1024
/** Maximum number of sessions over NATS of one credential whose first message has not arrived. A frontend has one session, and now and then another attempt. */
export const MAX_HALF_OPEN_PER_CREDENTIAL = 4
/** Maximum number of senders of broadcasts whose keys an instance keeps. */
export const MAX_BROADCAST_SENDERS = 1024
/** Bytes of events that wait for the connection to NATS. Later ones are dropped. */
export const MAX_UNSENT_EVENT_BYTES: number = 16 * MiB
/** Maximum bytes of an answer to a discovery query. */
export const MAX_DISCOVERY_BYTES = 4096
/** Maximum number of answers to one discovery query that are read. */
export const MAX_DISCOVERED = 256
