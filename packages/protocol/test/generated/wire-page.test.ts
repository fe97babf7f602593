// Compares the numbers and names of docs/internals/wire.md and docs/reference/limits.md with the code.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ATTACHMENT_EXTENSION } from '../../src/codec/attachments.js'
import { ERROR_CODES } from '../../src/errors/bus-error.js'
import { METHOD, STREAM_HEADER } from '../../src/message/methods.js'
import { toChannelReference } from '../../src/message/message.js'

import { FRAME_KIND } from '../../src/wire/link.js'
import * as bounds from '../../src/wire/limits.js'
import { CHANNEL_MESSAGE_COST, RING_BYTES } from '../../src/wire/limits.js'

const { MAX_BATCH, MAX_CHANNELS, MAX_DEPTH, MAX_FRAME_BYTES, MAX_IN_FLIGHT, MAX_LISTENERS, MAX_NODES } = bounds
const { CREDIT_WINDOW_BYTES, MAX_ATTACHED_BYTES, MAX_PATH_LENGTH, MAX_PATHS, MIN_ATTACHMENT_BYTES } = bounds
const { SCAN_ABOVE_BYTES } = bounds
const { MAX_CLIENT_QUEUE, MAX_CLIENT_QUEUE_BYTES, MAX_EVENT_QUEUE, MAX_EVENT_QUEUE_BYTES } = bounds
const { MAX_SESSION_QUEUE, MAX_SESSION_QUEUE_BYTES, MAX_GATE_QUEUE_BYTES, MAX_UNSENT_EVENT_BYTES } = bounds
const { CHANNEL_READ_AHEAD, MAX_CONFIRM_REQUESTS, MAX_CONFIRM_TEXT, MAX_LABEL_LENGTH, MAX_LISTENER_CHARACTERS } = bounds
const { MAX_OUTPUT_CHUNK, MAX_OUTPUT_LINE, MAX_RESOURCES, MAX_WAITING_OUTPUT } = bounds

const PAGES = ['docs/internals/wire.md', 'docs/reference/limits.md']
const page = PAGES.map(path => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')).join('')
const count = (n: number): string => n.toLocaleString('en').replaceAll(',', ' ')
const kib = (bytes: number): string => `${bytes / 1024} KiB`
const mib = (bytes: number): string => `${bytes / 2 ** 20} MiB`

describe('the pages on the wire and on limits state', () => {
  it.each([
    ['the size of a frame', `| body of a frame | 16 MiB (${count(MAX_FRAME_BYTES)} bytes) |`],
    [
      'the size of an attachment',
      `| an attachment | ${kib(MIN_ATTACHMENT_BYTES)} to 256 MiB (${count(MAX_ATTACHED_BYTES)} bytes) |`,
    ],
    ['the minimum of an attachment', `Those of ${kib(MIN_ATTACHMENT_BYTES)} or more travel out of band`],
    ['the extension of an attachment', `the extension of type ${ATTACHMENT_EXTENSION} with four bytes`],
    ['the messages in a frame', `| messages in a frame | ${count(MAX_BATCH)} |`],
    [
      'the depth',
      `| nesting of a message | ${MAX_DEPTH}, itself the first; JSON: only of messages over ${kib(SCAN_ABOVE_BYTES)} |`,
    ],
    [
      'the number of values',
      `| values in a frame | ${count(MAX_NODES)}; JSON: only in frames over ${kib(SCAN_ABOVE_BYTES)},`,
    ],
    ['the calls in flight', `| calls of a frontend in flight | ${count(MAX_IN_FLIGHT)}, then Overloaded;`],
    [
      'the calls to a frontend in flight',
      `| calls to a frontend in flight | ${count(MAX_IN_FLIGHT)}, then Overloaded |`,
    ],
    ['channels and listeners', `| ${count(MAX_CHANNELS)}, ${MAX_LISTENERS}, then Overloaded |`],
    [
      'the window of a port, and a ring',
      `| ${CREDIT_WINDOW_BYTES / 2 ** 20} MiB; the ring, ${kib(RING_BYTES)}; then it waits |`,
    ],
    ['the paths of a command', `| ${MAX_PATHS}, ${count(MAX_PATH_LENGTH)}, then \`InvalidParams\` |`],
    ['the resources', `| resources of a frontend | ${count(MAX_RESOURCES)}, then Overloaded |`],
    ['the label', `| characters of a label | ${MAX_LABEL_LENGTH} |`],
    ['the names of a listener', `of a frontend's listener | ${MAX_LISTENER_CHARACTERS}, then \`InvalidParams\` |`],
    ['the prompts', `| ${MAX_CONFIRM_REQUESTS}, ${MAX_CONFIRM_TEXT} |`],
    ['the output', `| ${MAX_OUTPUT_LINE}, ${count(MAX_OUTPUT_CHUNK)}; the rest is not logged |`],
    ['the waiting output', `the host has not taken | ${count(MAX_WAITING_OUTPUT)}; the rest is dropped`],
    ['the queue of a client', `wait in a client | ${count(MAX_CLIENT_QUEUE)}, ${mib(MAX_CLIENT_QUEUE_BYTES)} |`],
    [
      'the queue of events',
      `| events that wait in core for a frontend | ${count(MAX_EVENT_QUEUE)}, ${mib(MAX_EVENT_QUEUE_BYTES)} |`,
    ],
    [
      'the queue of answers',
      `calls that wait in core for a frontend | ${count(MAX_SESSION_QUEUE)}, ${mib(MAX_SESSION_QUEUE_BYTES)} |`,
    ],
    [
      'the read-ahead',
      `| \`readAhead\`: ${mib(CHANNEL_READ_AHEAD)}; each message counts ${CHANNEL_MESSAGE_COST} more |`,
    ],
    ['the queue of a gate', `${count(MAX_IN_FLIGHT)}, ${mib(MAX_GATE_QUEUE_BYTES)} | \`Overloaded\`; at`],
    ['the events for NATS', `connection to NATS | ${mib(MAX_UNSENT_EVENT_BYTES)} | later ones are dropped |`],
    ['the header of a stream', `header \`${STREAM_HEADER}: ${toChannelReference(0).replace(/0$/, '<id>')}\``],
    ['the form of a channel', `\`${toChannelReference(0).replace(/0$/, '<id>')}\``],
  ])('%s', (_name, text) => expect(page).toContain(text))

  it.each(Object.entries(ERROR_CODES))('the code of %s', (reason, code) => {
    expect(page).toContain(`| ${code} | ${reason} |`)
  })

  it.each(Object.values(METHOD))('the method %s', method => {
    expect(page).toContain(`| \`${method.replace('|', '\\|')}\` |`)
  })

  it('exactly the kinds of frames', () => {
    const kinds = [...page.matchAll(/^\| (\d) \|/gm)].map(([, kind]) => Number(kind))
    expect(kinds).toEqual(Object.values(FRAME_KIND))
  })
})
