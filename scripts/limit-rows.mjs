// The rows of docs/reference/limits.md, which `limits.mjs` writes. Each names the tests that hold it at the limit and one above it, by each way that
// counts: their files, and the beginnings of their titles. `promises.mjs` finds a row whose test is gone.
const count = n => (n < 10_000 ? String(n) : n.toLocaleString('en').replaceAll(',', ' '))
const kib = bytes => `${bytes / 1024} KiB`
const mib = bytes => `${bytes / 2 ** 20} MiB`
const exact = bytes => `${mib(bytes)} (${count(bytes)} bytes)`

const CODEC = 'packages/protocol/src/codec'
const RPC = 'packages/core/src/rpc'
const OPEN = {
  'packages/core/test/calls/limits.test.ts':
    'what is open counts for all frontends of a label together, up to the limit',
}

/**
 * @param {Record<string, number>} l - the constants of packages/protocol/src/wire/limits.ts
 * @returns {Record<'messages' | 'calls' | 'queues', [row: string, tests: Record<string, string | string[]>][]>}
 */
export const getRows = l => ({
  messages: [
    [
      `body of a frame | ${exact(l.MAX_FRAME_BYTES)}`,
      {
        [`${CODEC}/json.test.ts`]: 'accepts a frame of 16 MiB and rejects one more byte',
        [`${CODEC}/msgpack-codec.test.ts`]: 'when a frame has over 16 MiB, before it is read',
        'packages/protocol/src/rpc/outbox.test.ts': 'is rejected by its size in bytes, without affecting others',
      },
    ],
    [
      `an attachment | ${kib(l.MIN_ATTACHMENT_BYTES)} to ${exact(l.MAX_ATTACHED_BYTES)}`,
      {
        [`${CODEC}/json-bytes.test.ts`]: 'more bytes than the limit of a frame, in one attachment or in several',
      },
    ],
    [
      `attachments of a frame | ${mib(l.MAX_ATTACHED_BYTES)} together`,
      {
        [`${CODEC}/json-bytes.test.ts`]: 'more bytes than the limit of a frame, in one attachment or in several',
        'packages/protocol/src/rpc/bytes.test.ts': 'more bytes than a message can have are refused',
      },
    ],
    [
      `messages in a frame | ${count(l.MAX_BATCH)}`,
      {
        [`${CODEC}/event-batches.test.ts`]: [
          'a frame has no more messages than the limit',
          'has no more events than a batch can have messages',
        ],
      },
    ],
    [
      `nesting of a message | ${l.MAX_DEPTH}, itself the first; JSON: only of messages over ${kib(l.SCAN_ABOVE_BYTES)}`,
      {
        [`${CODEC}/json-checks.test.ts`]: 'is 64 for a message of more than 64 KiB',
        [`${CODEC}/msgpack-reader.test.ts`]: 'limit the depth of a message to 64, alone and in a batch',
      },
    ],
    [
      `values in a frame | ${count(l.MAX_NODES)}; JSON: only in frames over ${kib(l.SCAN_ABOVE_BYTES)}, by counting commas and opening brackets; MessagePack: keys too`,
      {
        [`${CODEC}/json-checks.test.ts`]: 'is a million',
        [`${CODEC}/msgpack-reader.test.ts`]: 'limit a frame to a million values, keys included',
      },
    ],
    [
      'numbers in JSON | within ±1.8 × 10³⁰⁸, beyond which a parser makes them infinite',
      { [`${CODEC}/json.test.ts`]: ['are refused', 'are not found in numbers within range, nor in strings'] },
    ],
    [
      'keys | never `__proto__`, at any depth and in any spelling; in MessagePack strings, numbers, booleans, nil',
      {
        [`${CODEC}/proto-keys.test.ts`]: 'both codecs find the key at any place',
        [`${CODEC}/msgpack-reader.test.ts`]: ['can be a string or a number', 'cannot be anything else'],
      },
    ],
    [
      'MessagePack extensions | type 0 (`undefined`), 83 (an attachment) and -1 (timestamp), no others',
      { [`${CODEC}/msgpack-reader.test.ts`]: 'reads three of the 256 extension types' },
    ],
  ],
  calls: [
    [
      `calls of a frontend in flight | ${count(l.MAX_IN_FLIGHT)}, then Overloaded; a cancelled call counts until its handler has finished`,
      OPEN,
    ],
    [
      `calls to a frontend in flight | ${count(l.MAX_IN_FLIGHT)}, then Overloaded`,
      { 'packages/core/test/calls/answers.test.ts': 'rejects calls beyond the limit in flight' },
    ],
    [
      `open channels and streamed arguments, listeners of a frontend | ${count(l.MAX_CHANNELS)}, ${l.MAX_LISTENERS}, then Overloaded; what a call was passed counts until it is over, too`,
      {
        ...OPEN,
        [`${RPC}/channels.test.ts`]: 'counts what a call declares until the call is over',
        [`${RPC}/frontend-calls.test.ts`]: 'calls, their channels and their streams count up to the limit',
      },
    ],
    [
      `requests of a script in QuickJS whose response was not read | ${count(l.MAX_IN_FLIGHT)}, and its \`memory\` together, then Overloaded`,
      {
        'packages/quickjs/src/script-host/services.test.ts': [
          'a script has as many responses whose body it has not read as the limit',
          'requests take as much as the memory of the script',
        ],
      },
    ],
    [`resources of a frontend | ${count(l.MAX_RESOURCES)}, then Overloaded`, OPEN],
    [
      `characters of a label | ${l.MAX_LABEL_LENGTH}`,
      { 'packages/protocol/src/wire/names.test.ts': 'a label has at most 200 characters' },
    ],
    [
      `characters of the event and the target of a frontend's listener | ${l.MAX_LISTENER_CHARACTERS}, then \`InvalidParams\``,
      { 'packages/core/src/events/router.test.ts': 'keeps no long names for a frontend' },
    ],
    [
      `paths of one \`path\` command, their characters together | ${l.MAX_PATHS}, ${count(l.MAX_PATH_LENGTH)}, then \`InvalidParams\``,
      {
        'packages/core/test/permissions/core-plugins.test.ts': [
          'refuses paths that would occupy core',
          'accepts the longest paths',
        ],
      },
    ],
    [
      `open prompts of a frontend or an MCP user, of all MCP users of a label, characters of one | ${l.MAX_CONFIRM_REQUESTS}, ${l.MAX_USERS_CONFIRM_REQUESTS}, ${l.MAX_CONFIRM_TEXT}`,
      {
        'packages/core/test/permissions/confirm.test.ts': [
          'has at most 16 open requests for each frontend',
          'has at most 1024 open requests for a label of many users',
        ],
        'extensions/mcp/test/rounds.test.ts': 'waits with fifteen others of its user',
        'packages/protocol/src/contract/messages.test.ts': 'the text of a confirmation is a string of bounded length',
      },
    ],
    [
      `memory of code that is interrupted, its compressed state | ${mib(l.MAX_IMAGE_BYTES)}, ${mib(l.MAX_SNAPSHOT_BYTES)}, then Overloaded`,
      {
        'packages/core/test/host/interrupt.test.ts':
          'a state of several parts crosses, and one that is too large ends the run',
      },
    ],
    [
      `characters of a line of output | ${l.MAX_OUTPUT_LINE}; the rest is not logged`,
      { 'packages/core/src/life/workers/output.test.ts': 'a line of output has at most 8192 characters in the log' },
    ],
    [
      `characters that code has printed and the host has not read | ${count(l.MAX_WAITING_OUTPUT)}, each print counts 64 more; the oldest are dropped, and the log says how much`,
      {
        'packages/protocol/src/contract/output.test.ts':
          'keeps as much as its bound, of which each print takes 64 characters',
      },
    ],
  ],
  queues: [
    [
      `in flight over a port, over a ring | ${mib(l.CREDIT_WINDOW_BYTES)}; the ring, ${kib(l.RING_BYTES)} | the sender waits`,
      {
        'packages/protocol/src/link/port-link.test.ts': 'sends one window and the frame that exceeds it',
        'packages/protocol/test/ring/room.test.ts': 'exists until as many bytes are in flight as a ring has',
      },
    ],
    [
      `calls and events that wait in a client | ${count(l.MAX_CLIENT_QUEUE)}, ${mib(l.MAX_CLIENT_QUEUE_BYTES)} | \`Overloaded\``,
      { 'packages/frontend/src/client/client-queue.test.ts': 'limits the number and the bytes of waiting messages' },
    ],
    [
      `events that wait in core for a frontend | ${count(l.MAX_EVENT_QUEUE)}, ${mib(l.MAX_EVENT_QUEUE_BYTES)} | the oldest are dropped and counted`,
      { [`${RPC}/writer.test.ts`]: 'as many events wait as the limits of number and bytes allow, and no more' },
    ],
    [
      `answers, channel messages and calls that wait in core for a frontend | ${count(l.MAX_SESSION_QUEUE)}, ${mib(l.MAX_SESSION_QUEUE_BYTES)} | \`Overloaded\``,
      { [`${RPC}/writer.test.ts`]: 'as many answers, calls and messages wait as the limits of number and bytes allow' },
    ],
    [
      `bytes of a channel or stream that its reader has not read | ${mib(l.CHANNEL_READ_AHEAD)}; each message counts ${l.CHANNEL_MESSAGE_COST} more | \`send\` waits`,
      {
        'packages/protocol/src/rpc/streams.test.ts': 'sends while its messages in flight cost less than the window',
        [`${RPC}/channels.test.ts`]: 'does not end the second channel of an id when the first call ends',
      },
    ],
    [
      `bytes of a frontend's stream or channel, or of a stream that core passes to it, that its reader has not read | ${mib(l.STREAM_WINDOW)}; each message counts ${l.CHANNEL_MESSAGE_COST} more | the sender waits; a frontend whose client does not is ended at ${mib(l.MAX_STREAM_UNREAD)}, the two largest values aside`,
      {
        'packages/protocol/src/rpc/streams.test.ts': [
          'sends while its messages in flight cost less than the window',
          'a sender violates its credit with 4 MiB unread, besides the two largest',
        ],
      },
    ],
    [
      `messages that wait in a gate for the hook | ${count(l.MAX_IN_FLIGHT)}, ${mib(l.MAX_GATE_QUEUE_BYTES)} | \`Overloaded\`; at ${mib(l.MAX_GATE_QUEUE_BYTES)} the gate stops reading`,
      {
        'packages/isolation/src/gate/gate-flow.test.ts': [
          'calls, events and responses are refused without calling the hook',
          'at 16 MiB of messages that wait for the hook, and not before',
        ],
      },
    ],
    [
      `events that wait for the connection to NATS | ${mib(l.MAX_UNSENT_EVENT_BYTES)} | later ones are dropped`,
      { 'extensions/nats/src/core/event-fanout.test.ts': 'holds 16 MiB, or a single larger message' },
    ],
  ],
})
