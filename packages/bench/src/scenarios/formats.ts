// The formats of a message by its size: the scenario behind the first table, and the same for a user's payloads.
import { formatArms } from '../arms/bus.js'
import { formatBytes } from '../shared/text.js'
import * as payloads from './payloads.js'
import { latency, type Case, type Scenario } from './scenario.js'

type Payload = payloads.Payload

/** Suffix of the case that sends many messages at a time. */
export const MANY = '-many'

/** Begins the id of a scenario of a user's payload. */
export const PAYLOAD_PREFIX = 'payload-'

/** More would measure the collection of garbage. */
const BYTES_IN_FLIGHT = 2 * 2 ** 20
const MOST_IN_FLIGHT = 64

/** Smaller messages need time until a ring polls. */
const LARGE_BYTES = 64 * 1024

/** Half the width of the interval of CPU time that ends the rounds, as a part of the figure. */
const PRECISE = 0.04

/** A message alone, for its latency, and many, whose threads never wait for each other, for its CPU time. */
function toCases(payload: Payload, id: string, title: string): Case[] {
  const bytes = payloads.payloadBytes(payload)
  const inFlight = Math.max(2, Math.min(MOST_IN_FLIGHT, Math.round(BYTES_IN_FLIGHT / (bytes + 1))))
  const lengths = bytes < LARGE_BYTES ? {} : { share: 0.6, settleShare: 0 }
  const alone = { ...latency('p50', title), wakes: true as const }
  const cpu = { ...latency('cpu', `${title}, CPU`), precise: PRECISE }
  return [
    { id, title, task: { loop: 'calls', inFlight: 1 }, payload, figures: [alone], ...lengths },
    { id: `${id}${MANY}`, title, task: { loop: 'calls', inFlight }, payload, figures: [cpu], ...lengths },
  ]
}

/** From a small call to a mebibyte of bytes. */
export const formatCases = (): Case[] => [
  ...toCases(payloads.smallCall, 'call', '100 B call'),
  ...[payloads.githubPullRequests(), payloads.devtoolsProtocol()].flatMap(payload =>
    toCases(payload, payload.id, formatBytes(payloads.payloadBytes(payload))),
  ),
  ...toCases(payloads.mebibyte(), 'mebibyte', '1 MiB bytes'),
]

export function toPayloadScenario(payload: Payload): Scenario {
  const size = formatBytes(payloads.payloadBytes(payload))
  return {
    id: `${PAYLOAD_PREFIX}${payload.id}`,
    title: `${payload.title}, ${size}`,
    about:
      'echo(payload) between two threads, one at a time, and several in flight with the CPU time of all threads for each. JSON-RPC sends bytes as' +
      ' base64; the bytes of a document are those of its JSON, which no side writes or parses. The reference is a structured clone over a MessagePort',
    arms: formatArms,
    cases: toCases(payload, 'payload', size),
    rows: 'arms',
    main: true,
    ...{ share: 1.5, settleShare: 0.5, warmUpShare: 0.8, roundsShare: 1 },
  }
}
