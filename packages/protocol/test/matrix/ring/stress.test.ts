// Random traffic between two threads in both directions, checked byte by byte: each frame once, in order, and no lost doorbell.
// RING_STRESS=<frames in each direction> makes it long; RING_SEED=<n> repeats a run.
import { Worker } from 'node:worker_threads'
import { describe, it } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { RING_WORD, createRingBuffer } from '../../../src/link/ring/ring-buffer.js'
import type { PollMode } from '../../../src/link/ring/polling.js'
import { RingLink } from '../../../src/link/ring/ring-link.js'
import { runTraffic } from '../../ring/random-traffic.mjs'

const long = Number(process.env['RING_STRESS'] ?? 0)
const seed = Number(process.env['RING_SEED'] ?? (long ? Math.floor(Math.random() * 1e9) : 7))
const frames = long || 4000
/** A thread that receives nothing for this long has lost a doorbell. */
const STILL = 5000

async function stress(ringBytes: number, poll: PollMode, awaitsReplies: boolean): Promise<void> {
  const [forward, backward] = [createRingBuffer(ringBytes), createRingBuffer(ringBytes)]
  const counters = new Int32Array(new SharedArrayBuffer(8))
  const common = { frames, ringBytes, counters }
  const worker = new Worker(new URL('../../ring/peer.mjs', import.meta.url), {
    workerData: {
      endpoint: { kind: 'ring', out: backward, in: forward, poll },
      role: 'traffic',
      traffic: { ...common, seed: seed + 1, peerSeed: seed, mine: 1, theirs: 0 },
    },
  })
  const link = new RingLink({ out: forward, in: backward, poll }, awaitsReplies)
  const state = (): string => {
    const words = (ring: SharedArrayBuffer): string =>
      Object.entries(RING_WORD)
        .map(([name, at]) => `${name} ${Atomics.load(new Int32Array(ring), at)}`)
        .join(', ')
    return `received ${counters.join(' and ')} of ${frames}; forward: ${words(forward)}; backward: ${words(backward)}; seed ${seed}`
  }
  let watch: NodeJS.Timeout | undefined
  const stands = new Promise<never>((_, reject) => {
    let before = ''
    watch = setInterval(() => {
      const now = counters.join()
      if (now === before) reject(new Error(`Nothing moves: ${state()}`))
      before = now
    }, STILL)
    worker.once('error', error => reject(new Error(`${String(error)}: ${state()}`)))
  })
  try {
    await Promise.race([
      stands,
      runTraffic(link, { ...common, seed, peerSeed: seed + 1, mine: 0, theirs: 1 }).then(async () => {
        while (Atomics.load(counters, 1) < frames) await new Promise(setImmediate)
      }),
    ])
  } finally {
    clearInterval(watch)
    link.close()
    await worker.terminate()
  }
}

describe('random traffic between two threads', { timeout: long ? 3_600_000 : 60_000 }, () => {
  it('arrives complete, once and in order', () =>
    rows<[string, number, PollMode, boolean]>([
      ['rings of 4 KiB, polling', 2 ** 12, 'adaptive', true],
      ['rings of 4 KiB, never polling', 2 ** 12, 'never', false],
      ['rings of 64 KiB, polling', 2 ** 16, 'adaptive', false],
    ])((_name, bytes, poll, awaits) => stress(bytes, poll, awaits)))
})
