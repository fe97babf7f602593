// node scripts/limits.mjs [--check]: writes the tables of docs/reference/limits.md from the constants of protocol, and that of error-codes.md from
// its codes. With `--check`, exits with 1 if a page is stale.
import { readFileSync, writeFileSync } from 'node:fs'

const fromRoot = path => new URL(`../${path}`, import.meta.url)
const l = await import(fromRoot('packages/protocol/dist/wire/limits.js').href)

const count = n => (n < 10_000 ? String(n) : n.toLocaleString('en').replaceAll(',', ' '))
const kib = bytes => `${bytes / 1024} KiB`
const mib = bytes => `${bytes / 2 ** 20} MiB`
const exact = bytes => `${mib(bytes)} (${count(bytes)} bytes)`

const TABLES = {
  messages: `
    body of a frame | ${exact(l.MAX_FRAME_BYTES)}
    an attachment | ${kib(l.MIN_ATTACHMENT_BYTES)} to ${exact(l.MAX_ATTACHED_BYTES)}
    attachments of a frame | ${mib(l.MAX_ATTACHED_BYTES)} together
    messages in a frame | ${count(l.MAX_BATCH)}
    nesting of a message | ${l.MAX_DEPTH}, itself the first; JSON: only of messages over ${kib(l.SCAN_ABOVE_BYTES)}
    values in a frame | ${count(l.MAX_NODES)}; JSON: only in frames over ${kib(l.SCAN_ABOVE_BYTES)}, by counting commas and opening brackets; MessagePack: keys too
    numbers in JSON | within ±1.8 × 10³⁰⁸, beyond which a parser makes them infinite
    keys | never \`__proto__\`, at any depth and in any spelling; in MessagePack strings, numbers, booleans, nil
    MessagePack extensions | type 0 (\`undefined\`), 83 (an attachment) and -1 (timestamp), no others`,
  calls: `
    calls of a frontend in flight | ${count(l.MAX_IN_FLIGHT)}, then Overloaded; a cancelled call counts until its handler has finished
    calls to a frontend in flight | ${count(l.MAX_IN_FLIGHT)}, then Overloaded
    open channels and streamed arguments, listeners of a frontend | ${count(l.MAX_CHANNELS)}, ${l.MAX_LISTENERS}, then Overloaded
    requests of a script in QuickJS whose response was not read | ${count(l.MAX_IN_FLIGHT)}, and its \`memory\` together, then Overloaded
    resources of a frontend | ${count(l.MAX_RESOURCES)}, then Overloaded
    characters of a label | ${l.MAX_LABEL_LENGTH}
    characters of the event and the target of a frontend's listener | ${l.MAX_LISTENER_CHARACTERS}, then \`InvalidParams\`
    paths of one \`path\` command, their characters together | ${l.MAX_PATHS}, ${count(l.MAX_PATH_LENGTH)}, then \`InvalidParams\`
    open prompts of a frontend, characters of one | ${l.MAX_CONFIRM_REQUESTS}, ${l.MAX_CONFIRM_TEXT}
    memory of code that is interrupted, its compressed state | ${mib(l.MAX_IMAGE_BYTES)}, ${mib(l.MAX_SNAPSHOT_BYTES)}, then Overloaded
    characters of a line of output | ${l.MAX_OUTPUT_LINE}; the rest is not logged
    characters that code has printed and the host has not read | ${count(l.MAX_WAITING_OUTPUT)}; the oldest are dropped, and the log says how much`,
  queues: `
    in flight over a port, over a ring | ${mib(l.CREDIT_WINDOW_BYTES)}; the ring, ${kib(l.RING_BYTES)} | the sender waits
    calls and events that wait in a client | ${count(l.MAX_CLIENT_QUEUE)}, ${mib(l.MAX_CLIENT_QUEUE_BYTES)} | \`Overloaded\`
    events that wait in core for a frontend | ${count(l.MAX_EVENT_QUEUE)}, ${mib(l.MAX_EVENT_QUEUE_BYTES)} | the oldest are dropped and counted
    answers, channel messages and calls that wait in core for a frontend | ${count(l.MAX_SESSION_QUEUE)}, ${mib(l.MAX_SESSION_QUEUE_BYTES)} | \`Overloaded\`
    bytes of a channel or stream that its reader has not read | ${mib(l.CHANNEL_READ_AHEAD)}; each message counts ${l.CHANNEL_MESSAGE_COST} more | \`send\` waits
    bytes of a frontend's stream or channel, or of a stream that core passes to it, that its reader has not read | ${mib(l.STREAM_WINDOW)}; each message counts ${l.CHANNEL_MESSAGE_COST} more | the sender waits; a frontend whose client does not is ended at ${mib(l.MAX_STREAM_UNREAD)}, the two largest values aside
    messages that wait in a gate for the hook | ${count(l.MAX_IN_FLIGHT)}, ${mib(l.MAX_GATE_QUEUE_BYTES)} | \`Overloaded\`; at ${mib(l.MAX_GATE_QUEUE_BYTES)} the gate stops reading
    events that wait for the connection to NATS | ${mib(l.MAX_UNSENT_EVENT_BYTES)} | later ones are dropped`,
}
const HEADS = { messages: 'limit | value', calls: 'limit | value', queues: 'messages | limit | beyond it' }

const toTable = name => {
  const head = HEADS[name]
  const rows = TABLES[name].trim().split('\n')
  const line = head.replaceAll(/[^|]+/g, '---')
  return [head, line, ...rows.map(row => row.trim())].map(row => (row === line ? `|${row}|` : `| ${row} |`)).join('\n')
}

const CODES = /^ {2}(\w+): (-\d+), \/\/ (.+)$/gm
const source = readFileSync(fromRoot('packages/protocol/src/errors/bus-error.ts'), 'utf8')
const codes = [...source.matchAll(CODES)].map(
  ([, reason, code, hasRun]) => `| ${code} | [${reason}](#${reason.toLowerCase()}) | ${hasRun} |`,
)

const PAGES = {
  limits: text =>
    text.replaceAll(
      /(<!-- limits: (\w+) -->\n\n)[^]*?(\n\n<!-- \/limits -->)/g,
      (_, begin, name, end) => begin + toTable(name) + end,
    ),
  'error-codes': text =>
    text.replace(
      /(<!-- codes -->\n\n.*\n.*\n)[^]*?(\n\n<!-- \/codes -->)/,
      (_, begin, end) => begin + codes.join('\n') + end,
    ),
}
for (const [name, write] of Object.entries(PAGES)) {
  const page = fromRoot(`docs/reference/${name}.md`)
  const text = readFileSync(page, 'utf8')
  if (!process.argv.includes('--check')) writeFileSync(page, write(text))
  else if (write(text) !== text) process.exitCode = 1
}
