// Almost valid messages: JSON-RPC with members that are missing, odd, hostile or stolen.
import { METHOD, NODE_METHOD } from '@sallyport/protocol/internal/message'
import type { Random } from './random.js'

const HOSTILE_TEXTS = [
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'prototype',
    'then',
    'toJSON',
    '',
    ' ',
    '\0',
    '\n',
    '\u001b[31m',
  ],
  ...[
    '\u2028',
    '\ud800',
    '__CHANNEL__:1',
    '__CHANNEL__:-1',
    '__CHANNEL__:1e9',
    '$/event',
    'rpc.discover',
    '*',
    'honest',
    'bad',
  ],
  ...[
    'host',
    'core',
    'private',
    'plugin:',
    'plugin:|',
    'plugin:event|',
    '|',
    'x'.repeat(5000),
    'tauri://destroyed',
    '%s%n',
    '${1}',
  ],
]
const HOSTILE_NUMBERS = [
  0,
  -0,
  -1,
  1.5,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 + 2,
  1e308,
  -1e308,
  5e-324,
  0.1,
]

/** Commands of the fuzzed core, including `forbidden`. */
const COMMANDS = ['ok', 'count', 'echo', 'fails', 'values', 'send', 'later', 'forever', 'forbidden', 'f']
const PLUGINS = [
  ...[
    'plugin:event|listen',
    'plugin:event|unlisten',
    'plugin:event|emit',
    'plugin:event|emit_to',
    'plugin:resources|close',
  ],
  ...[
    'plugin:path|join',
    'plugin:path|resolve',
    'plugin:app|version',
    'plugin:window|get_all_windows',
    'plugin:host|call',
  ],
]
const KINDS = ['Any', 'AnyLabel', 'App', 'Window', 'Webview', 'WebviewWindow', 'Unknown']

const text = (random: Random): string =>
  random.chance(0.8) ? random.pick(HOSTILE_TEXTS) : String.fromCharCode(...random.list(20, () => random.below(0xffff)))

const number = (random: Random): number => (random.chance(0.7) ? random.below(20) : random.pick(HOSTILE_NUMBERS))

/** Any JSON value, sometimes deeply nested. */
function value(random: Random, depth = 4): unknown {
  const kind = random.below(depth > 0 ? 9 : 6)
  if (kind === 0) return null
  if (kind === 1) return random.chance(0.5)
  if (kind < 4) return number(random)
  if (kind < 6) return text(random)
  if (kind === 6) return random.list(6, () => value(random, depth - 1))
  if (kind === 7 && random.chance(0.1)) return nested(random)
  return Object.fromEntries(random.list(6, () => [text(random), value(random, depth - 1)]))
}

function nested(random: Random): unknown {
  let inside: unknown = 0
  for (let i = random.pick([60, 64, 65, 500]); i > 0; i--) inside = random.chance(0.5) ? [inside] : { a: inside }
  return inside
}

const id = (random: Random): unknown => (random.chance(0.8) ? random.below(12) : value(random, 1))

const target = (random: Random): unknown =>
  random.chance(0.2) ? value(random, 2) : { kind: random.pick(KINDS), label: random.pick(['honest', 'bad', 'x', '*']) }

function params(random: Random): unknown {
  if (random.chance(0.2)) return value(random)
  const params: Record<string, unknown> = {}
  if (random.chance(0.5)) params.event = random.chance(0.7) ? random.pick(['news', 'private']) : value(random, 1)
  if (random.chance(0.4)) params.target = target(random)
  if (random.chance(0.4)) params.payload = value(random)
  if (random.chance(0.3)) params.eventId = number(random)
  if (random.chance(0.3)) params.rid = number(random)
  if (random.chance(0.3)) params.channel = random.chance(0.5) ? `__CHANNEL__:${random.below(5)}` : number(random)
  if (random.chance(0.3)) params.handler = number(random)
  if (random.chance(0.2)) params.messages = random.chance(0.7) ? random.below(2000) : value(random, 1)
  if (random.chance(0.2)) params.id = id(random)
  if (random.chance(0.2)) params.ids = random.list(5, () => number(random))
  if (random.chance(0.2)) params.index = number(random)
  if (random.chance(0.2)) params.message = value(random)
  if (random.chance(0.2)) params[text(random)] = value(random)
  return params
}

function headers(random: Random): unknown {
  if (random.chance(0.2)) return value(random, 2)
  const name = random.chance(0.5) ? 'sallyport-stream' : text(random)
  return { [name]: random.chance(0.6) ? `__CHANNEL__:${random.below(5)}` : text(random) }
}

/** Declares the channel among the params, if there is one, often with its id. */
function channels(params: unknown, random: Random): unknown {
  if (random.chance(0.2)) return value(random, 2)
  const { channel } = (params ?? {}) as { channel?: unknown }
  const id = random.chance(0.8) ? Number(String(channel).split(':')[1]) : number(random)
  return random.chance(0.9) ? { channel: id } : { [text(random)]: id }
}

function method(random: Random): unknown {
  const kind = random.below(10)
  if (kind < 5) return random.pick(COMMANDS)
  if (kind < 7) return random.pick(PLUGINS)
  if (kind < 9) return random.chance(0.8) ? random.pick(Object.values({ ...METHOD, ...NODE_METHOD })) : text(random)
  return value(random, 1)
}

const errorObject = (random: Random): unknown =>
  random.chance(0.3) ? value(random, 2) : { code: number(random), message: text(random), data: value(random, 2) }

/** A valid message for events of another frontend. */
const listening = (random: Random): unknown => ({
  jsonrpc: '2.0',
  id: random.below(12),
  method: METHOD.listen,
  params: { event: 'private', target: { kind: random.pick(KINDS), label: 'honest' } },
})

function message(random: Random): unknown {
  if (random.chance(0.05)) return value(random)
  if (random.chance(0.05)) return listening(random)
  const made: Record<string, unknown> = { jsonrpc: random.chance(0.97) ? '2.0' : value(random, 1) }
  if (random.chance(0.8)) made.id = id(random)
  const isAnswer = random.chance(0.2)
  if (!isAnswer || random.chance(0.1)) made.method = method(random)
  if (random.chance(0.8)) made.params = params(random)
  if (random.chance(0.2)) made.headers = headers(random)
  if (random.chance(0.3)) made.channels = channels(made.params, random)
  if (isAnswer && random.chance(0.7)) made.result = value(random)
  if (isAnswer && random.chance(0.4)) made.error = errorObject(random)
  if (random.chance(0.05)) made[text(random)] = value(random)
  return made
}

/** The content of a frame: a message, or a batch, sometimes an empty, nested or long one. */
export function batch(random: Random): unknown {
  if (random.chance(0.5)) return message(random)
  if (random.chance(0.02)) return []
  if (random.chance(0.02)) return [[message(random)]]
  if (random.chance(0.01)) return Array.from({ length: 3000 }, () => message(random))
  return [message(random), ...random.list(20, () => message(random))]
}
