// A client of the server that can read and publish everything, and has no key. It replays what it sees: unchanged and changed, to the
// same and to other subjects.
import { connect, headers } from '@nats-io/transport-node'
import { randomBytes } from 'node:crypto'
import { options, serve } from './serve.mjs'

const { servers, bus, instances } = options
/** Latest messages that are kept. */
const MAX_KEPT = 400
/** Messages that are replayed in each interval. */
const REPLAYS = 5
const INTERVAL_MS = 20

const nats = await connect({ servers, noEcho: true })
const noResponders = headers(503, 'No Responders')
const kept = []
const subjects = new Set()
let [published, next] = [0, 0]
/** Number of published messages at which it pauses, and what it calls then. */
let pause = { at: Infinity, paused: () => {} }

const shared = ['open', 'events', 'instances', ...instances.map(name => `open.${name}`)].map(
  token => `sallyport.${bus}.${token}`,
)

nats.subscribe('>', {
  callback(_error, { subject, data, reply }) {
    kept.push({ subject, data: Uint8Array.from(data), reply })
    if (kept.length > MAX_KEPT) kept.shift()
    for (const each of [subject, reply]) if (each) subjects.add(each)
    if (subjects.size > MAX_KEPT) subjects.delete(subjects.keys().next().value)
  },
})
await nats.flush()

function publish(subject, data, publishOptions) {
  if (!subject || /[*>]/.test(subject)) return
  nats.publish(subject, data, publishOptions)
  published += 1
}

/** Returns the subject of the same session at the other instance. */
const toOtherInstance = subject => {
  const [, prefix, instance, session] = /^(.*\.to)\.([^.]+)\.(.+)$/.exec(subject) ?? []
  return prefix && `${prefix}.${instances.find(name => name !== instance)}.${session}`
}

function flip(data) {
  if (data.length === 0) return data
  const changed = Uint8Array.from(data)
  changed[Math.floor(Math.random() * changed.length)] ^= 1 + Math.floor(Math.random() * 255)
  return changed
}

function replay({ subject, data, reply }) {
  const random = [...subjects][Math.floor(Math.random() * subjects.size)]
  publish(subject, data, { reply })
  publish(subject, data, { reply: random })
  publish(toOtherInstance(subject), data, { reply })
  publish(subject, flip(data), { reply })
  publish(subject, data.subarray(0, Math.floor(Math.random() * data.length)))
  publish(subject, new Uint8Array(), { headers: noResponders })
  publish(subject, randomBytes(data.length))
  publish(reply, data)
  publish(reply, new Uint8Array(), { headers: noResponders })
  publish(random, data, { reply: subject })
  for (const each of shared) publish(each, data, { reply: random })
}

const timer = setInterval(() => {
  for (let count = 0; count < REPLAYS && kept.length > 0 && published < pause.at; count++) {
    replay(kept[next++ % kept.length])
  }
  if (published >= pause.at) pause.paused()
}, INTERVAL_MS)

serve({
  published: () => published,
  /** Pauses after this number of further messages. Resolves once it has paused. */
  replay: count => new Promise(paused => (pause = { at: published + count, paused })),
  resume: () => void (pause = { at: Infinity, paused: () => {} }),
  async close() {
    clearInterval(timer)
    await nats.close()
  },
})
