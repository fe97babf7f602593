// Every kind of call that a frontend makes, each with the ways in which it may end. A wrong value throws.
import { setTimeout as delay } from 'node:timers/promises'

const check = (condition, what) => {
  if (!condition) throw new Error(`wrong: ${what}`)
}

/** `may`: reasons of errors that are expected even without faults; `must`: true if it must not succeed. */
const kind = (run, may = [], must = false) => ({ run, may, must })
const rejects = (reason, run) => kind(run, [reason], true)

const receive = async (channel, count, wait) => {
  let next = 0
  for await (const value of channel) {
    check(value === next++, `message ${value} of a channel, instead of ${next - 1}`)
    if (wait) await delay(wait)
    if (next === count) return
  }
}
const read = async (stream, count, wait) => {
  let next = 0
  for await (const value of stream) {
    check(value === next++, `value ${value} of a stream`)
    if (wait) await delay(wait)
    if (next === count) return
  }
}
/** Reads at most `most` messages of a new channel. */
const overChannel = async (bus, count, most, wait) => {
  const channel = new bus.Channel()
  const sent = bus.invoke('send', { channel, count })
  sent.catch(() => {})
  await receive(channel, most, wait)
  if (most < count) return sent.catch(() => {})
  return sent
}

export const kinds = {
  sync: kind(async (bus, random) => {
    const sent = { n: random.below(1e9), text: 'é\u2028"'.repeat(random.below(100)) }
    const got = await bus.invoke('echo', sent)
    check(got.n === sent.n && got.text === sent.text, 'the result of echo')
  }),
  async: kind(async (bus, random) => {
    const ms = random.below(10)
    check((await bus.invoke('later', { ms })) === ms, 'the result of later')
  }),
  burst: kind(async (bus, random) => {
    const calls = Array.from({ length: 50 + random.below(200) }, (_, n) => bus.invoke('echo', { n }))
    const got = await Promise.all(calls)
    check(
      got.every(({ n }, at) => n === at),
      'the order of a burst',
    )
  }),
  fails: rejects('CommandFailed', bus => bus.invoke('fails')),
  denied: rejects('Denied', bus => bus.invoke('forbidden')),
  rejected: kind(bus => bus.invoke('echo', { hook: 'reject' }), ['Rejected']),
  'slow hook': kind((bus, random) => bus.invoke('echo', { hook: random.pick(['later', 'busy']) })),
  cancelled: rejects('Cancelled', (bus, random) => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), random.below(10))
    return bus.invoke('never', {}, { signal: controller.signal })
  }),
  'timed out': rejects('Timeout', (bus, random) => bus.invoke('never', {}, { timeout: 1 + random.below(10) })),
  late: kind((bus, random) => bus.invoke('later', { ms: 5 }, { timeout: 1 + random.below(10) }), ['Timeout']),
  bytes: kind(async (bus, random) => {
    const size = random.below(random.pick([100, 10_000, 500_000]))
    const sent = new Uint8Array(size).fill(size % 251)
    const moved = random.next() < 0.5
    const got = new Uint8Array(await bus.invoke('bytes', sent, moved ? { transfer: [sent.buffer] } : {}))
    check(got.length === size && (size === 0 || got[size - 1] === size % 251), 'bytes')
  }),
  events: kind(async (bus, random) => {
    const name = `own-${random.below(1e9)}`
    let onEvent
    const event = new Promise(resolve => (onEvent = resolve))
    const unlisten = await bus.listen(name, onEvent)
    await bus.emitTo(bus.label, name, { some: 'payload' })
    // An event may be lost when something fails. The call comes after it.
    await bus.invoke('echo', {})
    await Promise.race([event, delay(100)])
    await unlisten()
  }),
  once: kind(async (bus, random) => {
    const name = `once-${random.below(1e9)}`
    const unlisten = await bus.once(name, () => {})
    if (random.next() < 0.5) await bus.emit(name, 1)
    await unlisten()
  }),
  ping: kind(bus => bus.emit('ping', { from: bus.label })),
  channel: kind((bus, random) => {
    const count = 1 + random.below(600)
    return overChannel(bus, count, count)
  }),
  'channel left': kind(bus => overChannel(bus, 500, 3)),
  'slow channel': kind(bus => overChannel(bus, 20, 20, 2)),
  stream: kind((bus, random) => read(bus.stream('stream', { count: random.below(600) }))),
  'stream left': kind(bus => read(bus.stream('stream', { count: 5000 }), 3)),
  'slow stream': kind(bus => read(bus.stream('stream', { count: 20 }), undefined, 2)),
  'stream fails': rejects('CommandFailed', bus => read(bus.stream('stream', { count: 3, fail: true }))),
  exposed: kind(async (bus, random, { labels }) => {
    const n = random.below(1e9)
    const { n: got } = await bus.invoke('ask', { label: random.pick(labels), name: 'echo', args: { n } })
    check(got === n, 'the result of an exposed function')
  }),
  'exposed, timed out': rejects('Timeout', (bus, random, { labels }) =>
    bus.invoke('ask', { label: random.pick(labels), name: 'never', args: {}, timeout: 1 + random.below(10) }),
  ),
  pool: kind(async bus => check((await bus.invoke('heavy', { n: 100 })) === 5050, 'the result of the pool')),
}
