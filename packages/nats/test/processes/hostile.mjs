// A client of the server that may read and publish everything, and holds no key. What it sees it plays again: as it is and
// changed, where it was and everywhere else.
import { connect, headers } from '@nats-io/transport-node'
import { randomBytes } from 'node:crypto'
import { given, serve } from './serve.mjs'

const { servers, bus, instances } = given
/** Of the latest, so many are kept, and played in each turn. */
const KEPT = 400
const A_TURN = 100
const EVERY_MS = 20

const nats = await connect({ servers, noEcho: true })
const nobody = headers(503, 'No Responders')
const kept = []
const subjects = new Set()
let [published, at] = [0, 0]

const of = word => `sallyport.${bus}.${word}`
const shared = ['open', 'events', 'instances', ...instances.map(name => `open.${name}`)].map(of)

nats.subscribe('>', {
  callback(_error, { subject, data, reply }) {
    kept.push({ subject, data: Uint8Array.from(data), reply })
    if (kept.length > KEPT) kept.shift()
    for (const each of [subject, reply]) if (each) subjects.add(each)
    if (subjects.size > KEPT) subjects.delete(subjects.keys().next().value)
  },
})
await nats.flush()

function publish(subject, data, options) {
  if (!subject || /[*>]/.test(subject)) return
  nats.publish(subject, data, options)
  published += 1
}

/** The same session at the other instance. */
const elsewhere = subject => {
  const [, word, to, session] = /^(.*\.to)\.([^.]+)\.(.+)$/.exec(subject) ?? []
  return word && `${word}.${instances.find(name => name !== to)}.${session}`
}

function flipped(data) {
  if (data.length === 0) return data
  const changed = Uint8Array.from(data)
  changed[Math.floor(Math.random() * changed.length)] ^= 1 + Math.floor(Math.random() * 255)
  return changed
}

function play({ subject, data, reply }) {
  const anywhere = [...subjects][Math.floor(Math.random() * subjects.size)]
  publish(subject, data, { reply })
  publish(subject, data, { reply: anywhere })
  publish(elsewhere(subject), data, { reply })
  publish(subject, flipped(data), { reply })
  publish(subject, data.subarray(0, Math.floor(Math.random() * data.length)))
  publish(subject, new Uint8Array(), { headers: nobody })
  publish(subject, randomBytes(data.length))
  publish(reply, data)
  publish(reply, new Uint8Array(), { headers: nobody })
  publish(anywhere, data, { reply: subject })
  for (const each of shared) publish(each, data, { reply: anywhere })
}

const timer = setInterval(() => {
  for (let count = 0; count < A_TURN / 10 && kept.length > 0; count++) play(kept[at++ % kept.length])
}, EVERY_MS)

serve({
  published: () => published,
  async close() {
    clearInterval(timer)
    await nats.close()
  },
})
