// Random traffic over one end of a link, for both threads: both ends derive the frames from a seed. Pauses make the threads park and
// wake all the time. Plain JavaScript, because Node 20 cannot load TypeScript in a worker.
import { setImmediate as nextTick, setTimeout as delay } from 'node:timers/promises'

/** A small generator of random numbers with a seed (mulberry32). */
function createRandom(seed) {
  let state = seed | 0
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const POOL = 2 ** 18
const fill = createRandom(1)
const bytes = Uint8Array.from({ length: POOL }, () => fill(256))
const text = Array.from({ length: POOL }, () => 'aZ"\\é€\u0000'[fill(7)]).join('')

/** The next frame, from empty to several times the size of the ring. */
function nextFrame(random, ringBytes) {
  const luck = random(1000)
  let most = ringBytes
  if (luck < 50) most = 1
  else if (luck < 650) most = 64
  else if (luck < 940) most = 1000
  else if (luck < 998) most = ringBytes >> 2
  else most = ringBytes * 4
  const length = random(Math.min(most, POOL))
  const from = random(POOL - length)
  const kind = 1 + random(3)
  return { kind, body: kind === 1 ? text.slice(from, from + length) : bytes.subarray(from, from + length) }
}

function spin(milliseconds) {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/**
 * Sends `frames` frames and checks as many that come. `counters` is shared: each end counts at `mine` what it received.
 * Resolves when everything is sent and received; rejects with the first mistake.
 */
export function runTraffic(link, { seed, peerSeed, frames, ringBytes, counters, mine, theirs }) {
  const [expected, stalls] = [createRandom(peerSeed), createRandom(seed + 1000)]
  let received = 0
  const { promise, resolve, reject } = deferred()
  link.receive({
    frame({ kind, body }) {
      const due = nextFrame(expected, ringBytes)
      const wanted = typeof due.body === 'string' ? Buffer.from(due.body) : due.body
      // ASCII arrives as a string.
      if (due.kind !== kind || Buffer.compare(wanted, Buffer.from(body)) !== 0) {
        return reject(
          new Error(`Frame ${received}: kind ${kind}, ${body.length} bytes for ${due.kind}, ${wanted.length}`),
        )
      }
      Atomics.store(counters, mine, ++received)
      if (stalls(2000) === 0) spin(stalls(20) / 10)
      if (received === frames) resolve()
      if (received > frames) reject(new Error('A frame too many'))
    },
    closed: fault => reject(fault ?? new Error(`Closed after ${received} frames`)),
  })
  return Promise.all([promise, sendAll()])

  async function sendAll() {
    const [content, pauses] = [createRandom(seed), createRandom(seed + 2000)]
    let sent = 0
    const open = () => sent - Atomics.load(counters, theirs)
    while (sent < frames) {
      for (let burst = pauses(4) === 0 ? 1 + pauses(200) : 1 + pauses(4); burst > 0 && sent < frames; burst--) {
        link.send(nextFrame(content, ringBytes))
        sent++
      }
      const pause = pauses(100)
      // Everything must arrive without help from another frame or its room: a lost doorbell hangs here.
      if (pause < 15) while (open() > 0) await nextTick()
      else if (pause < 20) while (open() > 0) await delay(1)
      else if (pause < 22) await delay(pauses(3))
      else if (pause < 40) await nextTick()
      else if (pause < 50) spin(pauses(40) / 1000)
      else if (pause < 75) await Promise.resolve()
      while (open() > 2000) await nextTick()
    }
  }
}

function deferred() {
  let resolve, reject
  const promise = new Promise((...settle) => ([resolve, reject] = settle))
  return { promise, resolve, reject }
}
